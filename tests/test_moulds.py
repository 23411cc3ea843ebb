"""A check's copies of a layer are what `copy.deepcopy` makes."""

import copy
import itertools
import threading

import cases
import numpy as np
import pytest

from torchlite import nn
from torchlite.nn.stateful import arrays_in, parts
from torchlite.testing import moulds
from torchlite.testing.moulds import mould

MADE = {}
for _, case in cases.rows():
    MADE.setdefault(type(case.make()).__name__, case.make)


def facts(layer):
    """Return what parts a layer has, how its arrays lie, and which of them share memory."""
    found, arrays = [], []
    for part in parts(layer):
        # Where an attribute stands does not matter.
        names = sorted(vars(part))
        found.append((type(part), names))
        for keys, array in arrays_in({name: vars(part)[name] for name in names}):
            lies = array.shape, array.strides, array.flags.owndata, array.flags.writeable
            shared = [(array is other, np.shares_memory(array, other)) for other in arrays]
            found.append((keys, array.dtype, lies, array.tobytes(), shared))
            arrays.append(array)
    return found


def cast_from_mould(layer, monkeypatch):
    """Return a copy that is not made by deepcopy."""
    with monkeypatch.context() as patch:
        patch.setattr(moulds.copy, "deepcopy", None)
        return mould(layer)()


def test_every_class_is_copied_as_by_deepcopy(monkeypatch):
    for name, make in MADE.items():
        layer = copy.deepcopy(make())
        made = cast_from_mould(layer, monkeypatch)
        assert facts(made) == facts(copy.deepcopy(layer)), name
        assert not {id(part) for part in parts(made)} & {id(part) for part in parts(layer)}, name


def test_copies_share_no_memory():
    layer = nn.Sequential(nn.Linear(3, 2), nn.BatchNormalization(2))
    make = mould(layer)
    owners = [[vars(part) for part in parts(each)] for each in (layer, make(), make())]
    for arrays in zip(*(dict(arrays_in(owner)).values() for owner in owners), strict=True):
        assert not any(
            np.shares_memory(one, other) for one, other in itertools.combinations(arrays, 2)
        )


def test_shared_tied_and_flat_arrays_stay_so(monkeypatch):
    one, other = nn.Linear(3, 2), nn.Linear(2, 3)
    other.weight, other.gradWeight = one.weight.T, one.gradWeight.T
    shared = nn.Linear(3, 2).share(one, "bias", "gradBias")
    net = nn.Sequential(one, other, shared, nn.Tanh())
    for layer in (net, copy.deepcopy(net)):
        layer.getParameters()
        assert facts(cast_from_mould(layer, monkeypatch)) == facts(copy.deepcopy(layer))


def test_each_copy_is_of_the_layer_as_it_was_then():
    layer = nn.Linear(2, 2)
    make, before = mould(layer), layer.weight.copy()
    make().weight[...] = 7
    layer.weight[...] = 8
    assert np.array_equal(make().weight, before)


def test_functions_and_classes_are_shared(monkeypatch):
    class Own(nn.Identity):
        pass

    layer = Own()
    layer.function, layer.kind, layer.dtype = lambda: 1, Own, np.dtype("float32")
    made = cast_from_mould(layer, monkeypatch)
    assert type(made) is Own
    for name in ("function", "kind", "dtype"):
        assert getattr(made, name) is getattr(layer, name)


class Copied(nn.Identity):
    def __deepcopy__(self, memo):
        made = Copied()
        made.told = True
        return made


class Reduced(nn.Identity):
    def __reduce__(self):
        return Reduced, (), {"told": True}


class ReducedEx(nn.Identity):
    def __reduce_ex__(self, protocol):
        return ReducedEx, (), {"told": True}


class Held:
    def __deepcopy__(self, memo):
        return self


@pytest.mark.parametrize("kind", [Copied, Reduced, ReducedEx])
def test_what_copies_itself_does_so(kind, monkeypatch):
    layer, asked = nn.Sequential(kind()), []

    def counted(value, *memo):
        if not memo:
            asked.append(value)
        return deepcopy(value, *memo)

    deepcopy = copy.deepcopy
    make = mould(layer)
    with monkeypatch.context() as patch:
        # A pickle asks __reduce__ and __reduce_ex__ as well.
        patch.setattr(moulds.copy, "deepcopy", counted)
        assert make().get(0).told
        assert make().get(0).told
    assert len(asked) == 2
    assert all(value is layer for value in asked)


def test_what_holds_what_copies_itself_is_copied_by_deepcopy():
    layer = nn.Identity()
    layer.held = Held()
    assert mould(layer)().held is layer.held


def test_arrays_in_another_order_keep_it():
    layer = nn.Identity()
    layer.array = np.zeros((2, 3, 4)).transpose(1, 0, 2)
    assert mould(layer)().array.strides == copy.deepcopy(layer).array.strides == (32, 96, 8)


def test_what_cannot_be_copied_raises_as_deepcopy_does():
    layer = nn.Identity()
    layer.lock = threading.Lock()
    with pytest.raises(TypeError, match="cannot pickle"):
        mould(layer)()
