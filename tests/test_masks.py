"""What does not count: masks that are told and found, in layers and in criterions."""

import numpy as np
import pytest

from torchlite import nn, random, serial
from torchlite.errors import DTypeError, SettingError, ShapeError, StateError
from torchlite.nn.recurrent import element_research

MASK = np.array([False, True, False])
ROWS = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.25]])


def message(call, kind):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize(
    ("mask", "kind", "said"),
    [
        (
            [0, 1],
            DTypeError,
            "zeroMask must be an array or False, got list\n"
            "  hint: True where a sample does not count at a step; or False: every one counts",
        ),
        (
            True,
            DTypeError,
            "zeroMask must be an array or False, got True\n"
            "  hint: True where a sample does not count at a step; or False: every one counts",
        ),
        (
            np.zeros(2),
            DTypeError,
            "zeroMask must be booleans, or integers 0 and 1, got float64\n  hint: zeroMask != 0",
        ),
        (
            np.zeros((1, 2, 3), bool),
            ShapeError,
            "zeroMask must be (N,) or (T, N), got (1, 2, 3)",
        ),
        (
            np.array([[0, 2]]),
            SettingError,
            "zeroMask must be 0 and 1, or booleans, got zeroMask[0, 1] = 2",
        ),
    ],
)
def test_what_is_no_mask_is_refused_everywhere(mask, kind, said):
    inner = nn.MaskZero(nn.ReLU()).setZeroMask(MASK)
    for part in (inner, nn.ReLU(), nn.MSECriterion()):
        name = type(part).__name__ if part is not inner else "MaskZero @ ReLU"
        assert message(lambda p=part: p.setZeroMask(mask), kind) == f"{name}.setZeroMask: {said}"
    assert inner.zeroMask.tolist() == MASK.tolist()


def test_a_mask_reaches_what_masks_wherever_it_stands():
    inner, other = nn.MaskZero(nn.ReLU()), nn.MaskZero(nn.ReLU())
    net = nn.Sequential(nn.Linear(2, 2), nn.ConcatTable(inner))
    net.other = [other]
    mask = MASK.copy()
    assert net.setZeroMask(mask) is net
    mask[:] = True
    for part in (inner, other):
        assert part.zeroMask.tolist() == MASK.tolist()
    net.setZeroMask(MASK.astype("uint8"))
    assert inner.zeroMask.dtype == bool
    net.setZeroMask(False)
    assert inner.zeroMask is False
    assert np.array_equal(inner.forward(ROWS), np.maximum(ROWS, 0))


def test_mask_zero_says_what_is_wrong():
    net = nn.MaskZero(nn.ReLU())
    assert message(lambda: net.forward(ROWS), StateError) == (
        "MaskZero @ ReLU.updateOutput: it masks, and was told no mask\n"
        "  hint: setZeroMask(mask), which is True where a sample does not count, or "
        "setZeroMask(False)"
    )
    net.setZeroMask(MASK[:2])
    assert message(lambda: net.forward(ROWS), ShapeError) == (
        "MaskZero @ ReLU.updateOutput: output of its module must be (2, ...) like the mask (2,), "
        "got (3, 2)"
    )
    net.setZeroMask(MASK).forward(ROWS)
    assert message(lambda: net.backward(ROWS, ROWS[:2]), ShapeError) == (
        "MaskZero @ ReLU.updateGradInput: gradOutput must be (3, ...) like the mask (3,), "
        "got (2, 2)"
    )
    found = nn.MaskZero(nn.ReLU(), True)
    assert message(lambda: found.forward(ROWS[0]), ShapeError) == (
        "MaskZero @ ReLU.updateOutput: input must be (N, ...), got (2,)"
    )


def test_what_is_masked_counts_nowhere():
    """Also not in the gradients of a layer with parameters right inside, as it does in Torch7."""
    alone, net = nn.Linear(2, 3), nn.MaskZero(nn.Linear(2, 3)).setZeroMask(MASK)
    net.get(0).weight[:], net.get(0).bias[:] = alone.weight, alone.bias
    gradOutput = np.arange(1.0, 10).reshape(3, 3)
    output, gradInput = net.forward(ROWS), net.backward(ROWS, gradOutput)
    assert np.array_equal(output[~MASK], alone.forward(ROWS[~MASK]))
    assert np.array_equal(gradInput[~MASK], alone.backward(ROWS[~MASK], gradOutput[~MASK]))
    assert not output[MASK].any()
    assert not gradInput[MASK].any()
    assert np.array_equal(net.get(0).gradWeight, alone.gradWeight)
    assert np.array_equal(net.get(0).gradBias, alone.gradBias)
    assert net.mask.tolist() == MASK.tolist()
    assert net.clearState().mask is None
    assert net.clone().forward(ROWS).tolist() == output.tolist()


def test_maskinput_and_maskoutput():
    x = np.where(MASK[:, None], np.nan, ROWS)
    net = nn.MaskZero(nn.AddConstant(1), maskinput=True, maskoutput=False).setZeroMask(MASK)
    assert net.forward(x).tolist() == [[2, 3], [1, 1], [1.5, 1.25]]
    assert net.backward(x, ROWS).tolist() == [[1, 2], [0, 0], [0.5, 0.25]]
    assert np.isnan(x[1]).all()


def test_of_ids_minus_one_stands_for_nothing():
    net = nn.MaskZero(nn.LookupTableMaskZero(3, 2), True)
    ids = np.array([[0, 2], [-1, -1], [-1, 1]])
    output = net.forward(ids)
    assert net.mask.tolist() == [False, True, False]
    assert not output[1].any()
    assert not output[2, 0].any()
    assert output[2, 1].all()


def test_an_id_alone_may_stand_for_nothing():
    net = nn.MaskZero(nn.LookupTableMaskZero(3, 2), True)
    assert net.forward(np.array([0, -1])).any(1).tolist() == [True, False]
    for tell in (lambda rnn: rnn.maskZero(True), lambda rnn: rnn.trimZero(0)):
        rnn = tell(nn.LookupRNN(3, 2))
        first = rnn.forward(np.array([2, 1]))
        output = rnn.forward(np.array([0, -1]))
        assert output.any(1).tolist() == [True, False]
        later = rnn.forward(np.array([2, 1]))
        assert np.array_equal(later[1:], rnn.forget().forward(np.array([1])))
        assert first.all()


def test_a_lookup_table_whose_first_row_is_nothing():
    table = nn.LookupTableMaskZero(3, 2)
    assert table.weight.shape == (4, 2)
    assert not table.weight[0].any()
    ids = np.array([2, -1, -1])
    table.weight[0] = 7
    assert table.forward(ids).tolist() == [table.weight[3].tolist(), [0, 0], [0, 0]]
    assert not table.weight[0].any()
    gradOutput = np.array([[1.0, 2.0], [3.0, 4.0], [10.0, 20.0]])
    assert table.backward(ids, gradOutput).tolist() == [0, 0, 0]
    assert table.gradWeight.tolist() == [[13, 24], [0, 0], [0, 0], [1, 2]]
    for wrong in (3, -2):
        with pytest.raises(IndexError) as caught:
            table.forward(np.array([wrong]))
        assert str(caught.value) == (
            f"LookupTableMaskZero.updateOutput: input[0] = {wrong} is out of range for 3 rows and "
            "-1 for none, counting from 0"
        )
    table.setPadding(2).zeroGradParameters()
    table.accGradParameters(ids, gradOutput)
    assert table.gradWeight.tolist() == [[13, 24], [0, 0], [0, 0], [0, 0]]


def test_its_rows_are_drawn_like_those_of_a_larger_table():
    random.manualSeed(3)
    larger = nn.LookupTable(4, 2)
    random.manualSeed(3)
    table = nn.LookupTableMaskZero(3, 2)
    assert np.array_equal(table.weight[1:], larger.weight[1:])


# Criterions


def test_a_criterion_of_the_samples_that_count():
    criterion = nn.MaskZeroCriterion(nn.ClassNLLCriterion()).setZeroMask(MASK)
    x, y = ROWS.copy(), np.array([1, 0, 0])
    x[1] = np.nan
    assert criterion.forward(x, y) == -(2 + 0.5) / 2
    assert criterion.backward(x, y).tolist() == [[0, -0.5], [0, 0], [-0.5, 0]]
    criterion.setZeroMask(np.ones(3, "uint8"))
    assert criterion.forward(x, y) == 0
    assert criterion.backward(x, y).tolist() == np.zeros((3, 2)).tolist()
    criterion.setZeroMask(False)
    assert criterion.forward(ROWS, y) == nn.ClassNLLCriterion().forward(ROWS, y)
    of_tables = nn.MaskZeroCriterion(nn.CosineEmbeddingCriterion()).setZeroMask(MASK)
    pairs, signs = [ROWS, 2 * ROWS], np.array([-1.0, 1, -1])
    kept = [array[~MASK] for array in pairs]
    expected = nn.CosineEmbeddingCriterion().backward(kept, signs[~MASK])
    for got, wanted in zip(of_tables.backward(pairs, signs), expected, strict=True):
        assert np.array_equal(got[~MASK], wanted)
        assert not got[MASK].any()


def test_criterions_say_what_is_wrong_with_masks():
    criterion = nn.MaskZeroCriterion(nn.MSECriterion())
    name = "MaskZeroCriterion @ MSECriterion"
    assert message(lambda: criterion.forward(ROWS, ROWS), StateError) == (
        f"{name}.updateOutput: it masks, and was told no mask\n"
        "  hint: setZeroMask(mask), which is True where a sample does not count, or "
        "setZeroMask(False)"
    )
    criterion.setZeroMask(MASK)
    assert message(lambda: criterion.forward(ROWS, ROWS[:2]), ShapeError) == (
        f"{name}.updateOutput: target must be (3, ...) like the mask (3,), got (2, 2)"
    )
    assert message(lambda: criterion.setZeroMask(MASK[None]), ShapeError) == (
        f"{name}.setZeroMask: zeroMask must be (N,), got (1, 3)"
    )
    steps = nn.SequencerCriterion(criterion)
    assert message(lambda: steps.setZeroMask(MASK), ShapeError) == (
        f"SequencerCriterion @ {name}.setZeroMask: zeroMask must be (T, N), got (3,)"
    )
    steps.setZeroMask(MASK[None])
    assert message(lambda: steps.forward([ROWS, ROWS], [ROWS, ROWS]), ShapeError) == (
        f"SequencerCriterion @ {name}.updateOutput: input must be a sequence of 1 step like the "
        "mask (1, 3), got [(3, 2), (3, 2)]"
    )


def test_each_step_has_its_own_row_of_a_mask():
    """Also where a mask for a longer sequence follows one for a shorter."""
    inner = nn.MaskZeroCriterion(nn.MSECriterion())
    criterion = nn.SequencerCriterion(inner)
    for mask in ([[0, 1]], [[1, 0], [0, 0], [1, 1]]):
        mask = np.array(mask, bool)
        x = np.arange(4.0 * len(mask)).reshape(len(mask), 2, 2)
        criterion.setZeroMask(mask)
        losses = [np.mean(x[t, ~m] ** 2) if not m.all() else 0 for t, m in enumerate(mask)]
        assert criterion.forward(x, 0 * x) == sum(losses)
        gradInput = np.stack(criterion.backward(list(x), list(0 * x)))
        assert not gradInput[mask].any()
        assert np.array_equal(gradInput, criterion.backward(x, 0 * x))
    assert inner.zeroMask is None
    criterion.setZeroMask(False)
    assert inner.zeroMask is False


def test_criterions_of_steps_say_what_is_wrong():
    criterion = nn.SequencerCriterion(nn.MSECriterion(), True)
    name = "SequencerCriterion @ MSECriterion.updateOutput"
    assert message(lambda: criterion.forward([], []), ShapeError) == (
        f"{name}: input must be at least 1 step, got []"
    )
    assert message(lambda: criterion.forward([ROWS], [ROWS, ROWS]), ShapeError) == (
        f"{name}: target must be a sequence of 1 step like input, got [(3, 2), (3, 2)]"
    )
    assert message(lambda: criterion.forward(3, [ROWS]), DTypeError) == (
        f"{name}: input must be an array, got int\n  hint: np.array(input, dtype='float64')"
    )
    with pytest.raises(ShapeError) as caught:
        criterion.forward([ROWS, ROWS], [ROWS, ROWS[:2]])
    assert caught.value.__notes__ == ["  at [1] of SequencerCriterion: input (3, 2)"]
    remembers = nn.ModuleCriterion(nn.MSECriterion(), nn.ReLU())
    for kind in (nn.SequencerCriterion, nn.RepeaterCriterion):
        assert message(lambda k=kind: k(remembers), SettingError) == (
            f"{kind.__name__}: criterion must be one that remembers nothing, got ModuleCriterion\n"
            "  hint: what its modules do, do in the network, step by step (nn.Sequencer)"
        )
        assert message(lambda k=kind: k(nn.ReLU()), DTypeError) == (
            f"{kind.__name__}.__init__: criterion must be a Criterion, got ReLU"
        )


# Element-Research's, which look for zeros


def test_a_sample_alone_is_masked_whole():
    net = element_research.MaskZero(nn.AddConstant(1), 1)
    assert net.forward(ROWS[0]).tolist() == [2, 3]
    zero = np.zeros(2)
    assert net.forward(zero).tolist() == [0, 0]
    assert net.backward(zero, np.ones(2)).tolist() == [0, 0]
    assert message(lambda: net.forward(ROWS[None]), ShapeError) == (
        "MaskZero @ AddConstant.updateOutput: input must be 1-D, or a batch of such, got (1, 3, 2)"
    )
    criterion = element_research.MaskZeroCriterion(nn.MSECriterion(), 1)
    assert message(lambda: criterion.forward(zero, zero), ShapeError) == (
        "MaskZeroCriterion @ MSECriterion.updateOutput: input must be a batch, of samples that "
        "are 1-D, got (2,)"
    )
    with pytest.raises(ShapeError, match="MaskZero: nInputDim must be at least 0, got -1"):
        element_research.MaskZero(nn.ReLU(), -1)


def test_a_recurrent_module_is_masked_by_itself():
    said = (
        r"^MaskZero: the state of RecGRU\(2 -> 1\) runs on where its output is zero; "
        r"maskZero\(nInputDim\) of the module itself lets it start anew$"
    )
    with pytest.warns(UserWarning, match=said):
        element_research.MaskZero(nn.RecGRU(2, 1), 1)
    element_research.MaskZero(nn.RecGRU(2, 1), 1, silent=True)


def test_what_is_left_out_is_never_seen():
    seen = []

    class Spy(nn.Identity):
        def updateOutput(self, input):
            seen.append(input)
            return super().updateOutput(input)

    x = np.where(MASK[:, None], 0, ROWS)
    gradOutput = np.arange(6.0).reshape(3, 2)
    results = []
    for kind in (element_research.MaskZero, nn.TrimZero):
        net = kind(nn.Sequential(Spy(), nn.Linear(2, 2)), 1)
        net.get(0).get(1).weight[:] = [[1, 2], [3, 4]]
        net.get(0).get(1).bias[:] = [5, 6]
        output, gradInput = net.forward(x), net.backward(x, gradOutput)
        results.append([output, gradInput, *net.parameters()[1]])
    assert [array.shape for array in seen] == [(3, 2), (2, 2)]
    assert all(map(np.array_equal, *results))
    # Where nothing counts, or all of it, there is nothing to leave out.
    for kept in (ROWS, np.zeros((3, 2))):
        assert net.forward(kept).any() == kept.any()
        assert net.backward(kept, gradOutput).any() == kept.any()
        assert seen[-1] is kept


def test_namesakes_are_told_apart_in_files(tmp_path):
    net = nn.Sequential(
        nn.MaskZero(nn.ReLU()), element_research.MaskZero(nn.ReLU(), 1), nn.TrimZero(nn.ReLU(), 1)
    )
    serial.save(tmp_path / "net.npz", net)
    loaded = serial.load(tmp_path / "net.npz")
    assert [type(part) for part in loaded] == [type(part) for part in net]
    assert serial.classes.name_of(nn.MaskZero) == "MaskZero"
    named = serial.classes.name_of(element_research.MaskZero)
    assert named == "recurrent.element_research.MaskZero"


# Of different lengths


def stacked():
    return nn.Sequencer(nn.Sequential(nn.RecGRU(3, 2), nn.LinearRNN(2, 2)))


def recurrence():
    both = nn.ParallelTable(nn.Linear(3, 2), nn.Linear(2, 2))
    return nn.Sequencer(nn.Recurrence(nn.Sequential(both, nn.CAddTable(), nn.Tanh()), 2, 1))


SEQUENCES = {
    "RecLSTM": lambda: nn.Sequencer(nn.RecLSTM(3, 2)),
    "projected RecLSTM": lambda: nn.Sequencer(nn.RecLSTM(3, 4, 2)),
    "RecGRU": lambda: nn.Sequencer(nn.RecGRU(3, 2)),
    "LinearRNN": lambda: nn.Sequencer(nn.LinearRNN(3, 2)),
    "LSTM": lambda: nn.Sequencer(nn.LSTM(3, 2)),
    "FastLSTM": lambda: nn.Sequencer(nn.FastLSTM(3, 2)),
    "GRU": lambda: nn.Sequencer(nn.GRU(3, 2)),
    "MuFuRu": lambda: nn.Sequencer(nn.MuFuRu(3, 2)),
    "Recurrence": recurrence,
    "stacked": stacked,
    "SeqLSTM": lambda: nn.SeqLSTM(3, 2),
    "SeqLSTMP": lambda: nn.SeqLSTMP(3, 4, 2),
    "SeqGRU": lambda: nn.SeqGRU(3, 2),
    "one after the other": lambda: nn.Sequential(nn.SeqGRU(3, 2), nn.Sequencer(nn.LSTM(2, 2))),
    "BiSequencer": lambda: nn.BiSequencer(nn.RecGRU(3, 2), nn.LSTM(3, 2)),
}


@pytest.mark.parametrize("found", [False, True], ids=["told", "found"])
@pytest.mark.parametrize("make", SEQUENCES.values(), ids=SEQUENCES)
def test_a_padded_batch_gives_what_its_sequences_give_alone(make, found):
    rng, lengths = np.random.default_rng(0), [4, 2, 3, 1]
    x, gradOutput = np.zeros((4, 4, 3)), rng.normal(size=(4, 4, 2))
    mask = np.arange(4)[:, None] >= lengths
    x[~mask] = rng.normal(size=(10, 3))
    net = make().maskZero(found)
    net = net if found else net.setZeroMask(mask)
    output, gradInput = net.forward(x), net.backward(x, gradOutput)
    together = [gradient.copy() for gradient in net.parameters()[1]]
    net.zeroGradParameters()
    net = net if found else net.setZeroMask(False)
    for i, length in enumerate(lengths):
        part = np.s_[:length, i : i + 1]
        assert np.allclose(net.forward(x[part]), output[part], 0, 1e-14)
        assert np.allclose(net.backward(x[part], gradOutput[part]), gradInput[part], 0, 1e-14)
    assert not output[mask].any()
    assert not gradInput[mask].any()
    for one, other in zip(net.parameters()[1], together, strict=True):
        assert np.allclose(one, other, 0, 1e-13)


def test_a_mask_of_booleans_is_only_copied():
    class Counted(np.ndarray):
        made = 0

        def __array_ufunc__(self, ufunc, *args, **kwargs):
            Counted.made += 1
            return ufunc(*(np.asarray(value) for value in args[1:]), **kwargs)

    layer, mask = nn.SeqGRU(3, 2), np.array([False, True]).view(Counted)
    layer.setZeroMask(mask)
    assert Counted.made == 1
    assert layer.zeroMask.tolist() == [False, True]
    assert not np.shares_memory(layer.zeroMask, mask)


def test_what_cannot_mask_leaves_the_rest_of_a_network_as_it_is():
    first, last = nn.LinearRNN(2, 2), nn.Recurrent(2, nn.Linear(2, 2), nn.Linear(2, 2))
    for net in (nn.Sequential(first, last), nn.Recursor(nn.Sequential(first, last))):
        with pytest.raises(StateError):
            net.maskZero(True)
        masking = [getattr(part, "maskzero", False) for part in net.listModules()]
        assert not any(masking)
        assert not any(getattr(part, "v1", False) for part in net.listModules())
