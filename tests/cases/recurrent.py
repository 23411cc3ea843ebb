"""Sequences: cells, sequencers, masks and criterions of steps."""

import numpy as np

from cases import Case
from torchlite import nn
from torchlite.nn.recurrent import element_research


def with_blanks(*shape):
    """Return numbers of which every third row, by the first dimensions, is nothing but zeros."""

    def drawn(rng):
        x = (2 * rng.integers(-32, 32, shape) + 1) / 16
        x.reshape(-1, shape[-1])[1::3] = 0
        return x

    return drawn


def mask(*shape):
    """Return a mask of every third entry."""
    return (np.arange(np.prod(shape)) % 3 == 1).reshape(shape)


def ids(low, high, *shape):
    return lambda rng: rng.integers(low, high, shape)


WITHOUT_DROPOUT = {"maths": "Maths is of p = 0"}
OF_ARRAYS = {"maths": "Maths is of an array"}


def batch_first(layer):
    layer.batchfirst = True
    return layer


OF_TIME = {"batch": "the first dimension is time"}


CASES = [
    Case(lambda: nn.LookupTableMaskZero(4, 3), ids(-1, 4, 2, 5)),
    Case(lambda: nn.MaskZero(nn.Linear(3, 2), True), with_blanks(4, 3)),
    Case(lambda: nn.MaskZero(nn.Linear(3, 2)).setZeroMask(mask(4)), (4, 3), name="told"),
    Case(
        lambda: nn.MaskZero(nn.Tanh(), maskinput=True).setZeroMask(mask(2, 4)),
        (2, 4, 3),
        name="sequence",
    ),
    Case(lambda: nn.ReverseSequence(), (4, 3)),
    Case(lambda: nn.ReverseSequence(), [(2, 3), (2, 3), (2, 3)], name="table"),
    Case(lambda: nn.ReverseUnreverse(nn.SeqGRU(3, 2)), (4, 3, 3), exempt=OF_TIME),
    Case(lambda: nn.SeqBGRU(2, 1), (2, 2, 2)),
    Case(lambda: nn.SeqBLSTM(2, 1, nn.JoinTable(2)), (2, 2, 2)),
    Case(lambda: nn.SeqBRNN(2, 1), (2, 2, 2)),
    Case(lambda: nn.SeqGRU(3, 2), (4, 3, 3)),
    Case(lambda: batch_first(nn.SeqGRU(3, 2)), (5, 2, 3), name="batch first"),
    Case(lambda: nn.SeqLSTM(3, 2), (4, 3, 3)),
    Case(lambda: nn.SeqLSTM(3, 2).maskZero().setZeroMask(mask(4, 3)), (4, 3, 3), name="told"),
    Case(lambda: batch_first(nn.SeqLSTM(3, 4, 2)), (5, 2, 3), name="projection"),
    Case(lambda: nn.SeqLSTMP(3, 2, 4), (2, 3, 3)),
    Case(
        lambda: batch_first(element_research.SeqLSTM(3, 2)),
        [(3, 2), (3, 2), (3, 2, 3)],
        name="Element-Research",
    ),
    Case(
        lambda: batch_first(element_research.SeqLSTMP(3, 4, 2)),
        [(3, 2), (3, 2, 3)],
        name="Element-Research",
    ),
    Case(
        lambda: batch_first(element_research.SeqGRU(3, 2)),
        [(3, 2), (3, 2, 3)],
        name="Element-Research",
    ),
    Case(lambda: nn.SeqReverseSequence(1), (4, 3, 2)),
    Case(lambda: nn.SeqReverseSequence(-3), (4, 3, 2), exempt=OF_TIME, name="from the end"),
    Case(lambda: nn.StepGRU(3, 2), [(5, 3), (5, 2)]),
    Case(lambda: nn.StepLSTM(3, 2), [(5, 3), (5, 2), (5, 2)]),
    Case(lambda: nn.StepLSTM(3, 4, 2), [(5, 3), (5, 2), (5, 4)], name="projection"),
    Case(
        lambda: nn.StepLSTM(3, 2).maskZero().setZeroMask(mask(5)),
        [(5, 3), (5, 2), (5, 2)],
        name="told",
    ),
    Case(
        lambda: element_research.MaskZero(nn.Linear(3, 2), 1),
        with_blanks(4, 3),
        name="Element-Research",
    ),
    Case(lambda: nn.TrimZero(nn.Linear(3, 2), 1), with_blanks(4, 3)),
    Case(
        lambda: element_research.MaskZeroCriterion(nn.MSECriterion(), 1),
        with_blanks(4, 3),
        (4, 3),
        name="Element-Research",
    ),
    Case(lambda: nn.MaskZeroCriterion(nn.MSECriterion(), True), with_blanks(4, 3), (4, 3)),
    Case(
        lambda: nn.MaskZeroCriterion(nn.ClassNLLCriterion()).setZeroMask(mask(4)),
        (4, 3),
        ids(0, 3, 4),
        name="told",
    ),
    Case(lambda: nn.SequencerCriterion(nn.MSECriterion()), [(4, 3), (4, 3)], [(4, 3), (4, 3)]),
    Case(
        lambda: nn.SequencerCriterion(nn.MaskZeroCriterion(nn.ClassNLLCriterion())).setZeroMask(
            mask(2, 4)
        ),
        (2, 4, 3),
        ids(0, 3, 2, 4),
        name="masked",
    ),
    Case(lambda: nn.RepeaterCriterion(nn.MSECriterion()), (2, 4, 3), (4, 3)),
    Case(lambda: nn.CopyGrad(), (4, 3)),
    Case(lambda: nn.FastLSTM(2, 2), (3, 2)),
    Case(
        lambda: element_research.FastLSTM(2, 1, p=0.25),
        (3, 2),
        name="dropout",
        exempt=WITHOUT_DROPOUT,
    ),
    Case(lambda: nn.GRU(2, 2), (3, 2)),
    Case(
        lambda: element_research.GRU(2, 1, p=0.25, mono=True),
        (3, 2),
        name="dropout",
        exempt=WITHOUT_DROPOUT,
    ),
    Case(lambda: nn.LSTM(1, 2), (2, 1)),
    Case(
        lambda: element_research.LSTM(2, 1, cell2gate=False, p=0.25),
        (2,),
        name="dropout",
        exempt=WITHOUT_DROPOUT,
    ),
    Case(lambda: element_research.MuFuRu(1, 1, ["mul", "max"]), (2, 1), name="two"),
    Case(lambda: nn.LookupRNN(4, 2), ids(-1, 4, 3)),
    Case(lambda: nn.MuFuRu(2, 2), (3, 2)),
    Case(lambda: nn.Recurrent(2, nn.Linear(2, 2), nn.Linear(2, 2)), (3, 2)),
    Case(lambda: nn.LinearRNN(3, 2), (4, 3)),
    Case(lambda: nn.LinearRNN(3, 2, nn.Tanh()), (3,), name="one sample"),
    Case(lambda: nn.RecGRU(3, 2), (4, 3)),
    Case(lambda: nn.RecLSTM(3, 2), (4, 3)),
    Case(lambda: nn.RecLSTM(3, 4, 2), (4, 3), name="projection"),
    Case(lambda: nn.Recurrence(nn.CAddTable(), 3, 1), (4, 3)),
    Case(lambda: nn.Recursor(nn.Linear(3, 2)), (4, 3)),
    Case(lambda: nn.Sequencer(nn.RecLSTM(3, 2)), (3, 2, 3)),
    Case(lambda: nn.Sequencer(nn.RecGRU(3, 2)), [(2, 3), (2, 3)], name="table"),
    Case(lambda: nn.VariableLength(nn.SeqGRU(3, 2)), [(2, 3), (4, 3), (1, 3), (2, 3)]),
    Case(nn.NormStabilizer, (4, 3)),
    Case(lambda: nn.Repeater(nn.LinearRNN(2, 1), 2), (2, 2)),
    Case(lambda: nn.RecurrentAttention(nn.CAddTable(), nn.Linear(2, 2), 2, [2]), (3, 2)),
    Case(lambda: nn.BiSequencer(nn.Mul(), nn.Tanh()), (2, 2, 1)),
    Case(lambda: nn.BiSequencerLM(nn.Mul(), nn.Tanh()), [(2, 1)] * 3),
    Case(
        lambda: element_research.BiSequencer(nn.Tanh(), nn.Identity()),
        [(2, 1)] * 2,
        name="Element-Research",
    ),
]
