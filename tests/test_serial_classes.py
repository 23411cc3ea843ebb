"""Every class is saved and comes back; classes of one's own, once they are registered."""

import numpy as np
import pytest
from saving import (
    DTYPES,
    LAYOUTS,
    ROWS,
    arrays_of,
    dirty,
    rearrange,
    refused,
    same,
    without_gradients,
    without_gradients_of_any_layout,
)

from torchlite import nn, random, serial
from torchlite.errors import DTypeError, FormatError, SettingError
from torchlite.nn.nested import map_arrays
from torchlite.serial import classes


def results(made, case, dtype):
    """Return what a forward gives, from the same random numbers."""

    def cast(value):
        floating = isinstance(value, np.ndarray) and value.dtype.kind == "f"
        return value.astype(dtype) if floating else value

    rng = np.random.default_rng(0)
    arguments = [map_arrays(cast, case.draw(rng))]
    if isinstance(made, nn.Criterion):
        target = None if case.target is None else case.draw(rng, "target")
        arguments.append(map_arrays(cast, target))
    random.manualSeed(5)
    return made.forward(*arguments)


# ---------------------------------------------------------------- every class


@pytest.mark.parametrize("case", ROWS)
def test_every_class(case, path):
    for dtype in DTYPES:
        come_back(case, dtype, path)
        for layout in LAYOUTS:
            come_back_from_layout(case, dtype, layout, path)


def come_back(case, dtype, path):
    random.manualSeed(1)
    made = dirty(case.make().type(dtype), np.random.default_rng(1))
    bare = without_gradients(made)
    serial.save(path, made)
    loaded = serial.load(path)
    assert same(bare, loaded)
    assert repr(loaded) == repr(made)

    random.manualSeed(2)
    other = dirty(case.make().type(dtype), np.random.default_rng(2))
    arrays = [id(array) for array in arrays_of(other)]
    assert serial.load(path, into=other) is other
    assert [id(array) for array in arrays_of(other)] == arrays
    assert same(bare, other, ignoring={"id"})

    serial.save(path, made, gradients=True)
    assert same(made, serial.load(path))

    assert same(results(made, case, dtype), results(loaded, case, dtype))


def come_back_from_layout(case, dtype, layout, path):
    random.manualSeed(1)
    made = case.make().type(dtype)
    rearrange(made, LAYOUTS[layout])
    serial.save(path, made)
    loaded = serial.load(path)
    assert same(without_gradients_of_any_layout(made), loaded)
    if layout == "Fortran":
        for one, other in zip(arrays_of(made), arrays_of(loaded), strict=True):
            assert one.flags.f_contiguous == other.flags.f_contiguous
    if layout != "broadcast":
        random.manualSeed(2)
        other = case.make().type(dtype)
        rearrange(other, LAYOUTS[layout])
        assert same(loaded, serial.load(path, into=other), ignoring={"id"})


def test_every_public_class_can_be_named():
    trainer = {"StochasticGradient"}
    assert {name for name in nn.__all__ if classes.find(name)} == set(nn.__all__) - trainer


# ---------------------------------------------------------------- classes of one's own


class Scaled(nn.Module):
    def __init__(self, factor):
        self.factor = np.array([factor])
        self.gradFactor = np.zeros(1)
        self.history = []

    def updateOutput(self, input):
        self.output = self.factor * input
        return self.output

    def parameters(self):
        return [self.factor], [self.gradFactor]


@pytest.fixture
def registered(monkeypatch):
    monkeypatch.setattr(classes, "_registered", {})
    serial.register("tests.Scaled", Scaled)


def test_registered_classes_are_saved(path, registered):
    net = nn.Sequential(Scaled(3.0), nn.ReLU())
    net[0].gradFactor[:] = 7
    serial.save(path, net)
    loaded = serial.load(path)
    assert type(loaded[0]) is Scaled
    assert loaded[0].factor == 3
    assert loaded[0].gradFactor == 0
    assert loaded[0].history == []


def test_other_classes_are_refused(path, monkeypatch):
    monkeypatch.setattr(classes, "_registered", {})
    net = nn.Sequential(Scaled(3.0))
    refused(
        path,
        net,
        "save: [0]: Scaled is not a class that files know\n"
        "  hint: serial.register('Scaled', Scaled) makes it known",
    )
    serial.register("Scaled", Scaled)
    serial.save(path, net)
    monkeypatch.setattr(classes, "_registered", {})
    with pytest.raises(FormatError) as error:
        serial.load(path)
    assert str(error.value) == (
        f"{path}: [0]: 'Scaled' is not a class that files know\n"
        "  hint: serial.register(name, cls) makes a class of your own known"
    )


def test_a_subclass_is_not_its_base(path):
    class Linear(nn.Linear):
        pass

    refused(
        path,
        Linear(1, 1),
        "save: Linear is not a class that files know\n"
        "  hint: serial.register('Linear', Linear) makes it known",
    )


def test_getstate_and_setstate_are_respected(path, registered):
    class Counted(nn.Module):
        def __getstate__(self):
            return {"packed": [1, np.ones(2)]}

        def __setstate__(self, state):
            self.unpacked = state["packed"][1] + state["packed"][0]

    serial.register("Counted", Counted)
    serial.save(path, nn.Sequential(Counted()))
    assert serial.load(path)[0].unpacked.tolist() == [2, 2]
    Counted.__setstate__ = lambda self, state: state["nothing"]
    with pytest.raises(FormatError, match=r"\[0\]: this cannot be the state of a Counted: KeyErr"):
        serial.load(path)
    Counted.__getstate__ = lambda self: [1]
    refused(
        path, nn.Sequential(Counted()), "save: [0]: its __getstate__ returns a list, not a dict"
    )
    Counted.__getstate__ = lambda self: {"forward": 1}
    refused(
        path,
        nn.Sequential(Counted()),
        "save: [0]: forward is a method or property of Counted, not something to be saved",
    )


def test_a_gradient_of_another_dtype_is_saved(path, registered):
    layer = Scaled(3.0)
    layer.gradFactor = np.ones(1, np.float32)
    serial.save(path, layer)
    assert serial.load(path).gradFactor.dtype == np.float32


@pytest.mark.parametrize(
    ("save", "where"),
    [(serial.save, "save: [1]"), (serial.save_checkpoint, "save_checkpoint: net[1]")],
)
@pytest.mark.parametrize("gradients", [False, True])
def test_what_could_not_be_loaded_is_not_saved(path, registered, save, where, gradients):
    layer = Scaled(3.0)
    layer.gradFactor = np.ones((1, 2))
    said = f"{where}: a Scaled like this could not be loaded: parameter (1,), gradient (1, 2)"
    net = nn.Sequential(nn.ReLU(), layer)
    refused(path, net, said, lambda path, net: save(path, net, gradients=gradients))


def test_a_layer_that_cannot_print_itself_is_not_saved(path, registered, monkeypatch):
    def fails(self):
        raise KeyError("size")

    monkeypatch.setattr(Scaled, "__repr__", fails)
    said = "save: a Scaled like this could not be loaded: 'size'"
    refused(path, Scaled(3.0), said)


def test_a_gradient_that_is_not_like_its_parameter_is_not_loaded(path, registered, monkeypatch):
    layer = Scaled(3.0)
    layer.gradFactor = np.ones((1, 2))
    monkeypatch.setattr("torchlite.serial.describe.look_at", lambda part: None)
    serial.save(path, layer)
    with pytest.raises(FormatError, match=r"parameter \(1,\), gradient \(1, 2\)"):
        serial.load(path)


def test_register_checks_its_arguments():
    with pytest.raises(DTypeError, match="register: name must be text, got 1"):
        serial.register(1, Scaled)
    with pytest.raises(DTypeError) as error:
        serial.register("int", int)
    assert str(error.value) == (
        "register: cls must be a subclass of Module or Criterion, got <class 'int'>"
    )
    with pytest.raises(SettingError, match="name must be no name of a class of torchlite"):
        serial.register("Linear", Scaled)
