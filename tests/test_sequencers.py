"""What runs modules over sequences both ways, or again and again; norms that are kept alike."""

import numpy as np
import pytest

from torchlite import nn
from torchlite.errors import DTypeError, ShapeError, StateError
from torchlite.nn.recurrent import element_research


def numbers(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def message(kind, call):
    with pytest.raises(kind) as caught:
        call()
    return str(caught.value)


def derivative(function, array):
    """Return the derivative of a number by every entry of an array, by differences."""
    found = np.empty_like(array)
    for place in np.ndindex(array.shape):
        moved = [array.copy(), array.copy()]
        for copy, by in zip(moved, (1e-6, -1e-6), strict=True):
            copy[place] += by
        found[place] = (function(moved[0]) - function(moved[1])) / 2e-6
    return found


# ---------------------------------------------------------------- both ways


def both(net):
    """Return a network's two directions, each on a sequence as it is, and its gradients."""
    ahead, back = net.getForward().clone(), net.getBackward().clone()
    return lambda x: ahead.forward(x), lambda x: back.forward(x[::-1])[::-1]


def test_two_directions_are_merged():
    x = numbers(4, 2, 3)
    for merge, joined in (
        (None, lambda a, b: a + b),
        (nn.JoinTable(2), lambda a, b: np.concatenate([a, b], 2)),
    ):
        net = nn.BiSequencer(nn.RecGRU(3, 2), nn.RecLSTM(3, 2), merge)
        ahead, back = both(net)
        assert np.array_equal(net.forward(x), joined(ahead(x), back(x)))
        expected = derivative(lambda x, net=net: net.forward(x).sum(), x)
        output = net.forward(x)
        assert np.allclose(net.backward(x, np.ones_like(output)), expected, 1e-6, 1e-8)
    assert repr(nn.BiSequencer(nn.Tanh(), nn.Tanh())).startswith("BiSequencer @ Sequential {")


def test_backward_is_a_copy_that_is_drawn_anew():
    forward = nn.RecGRU(3, 2)
    net = nn.BiSequencer(forward)
    assert isinstance(net.getForward(), nn.Sequencer)
    assert net.getForward().modules[0] is forward
    own, other = (net.getForward().parameters()[0], net.getBackward().parameters()[0])
    assert [a.shape for a in own] == [a.shape for a in other]
    assert not np.array_equal(own[0], other[0])
    assert len(net.parameters()[0]) == 4
    whole = nn.Sequencer(nn.Tanh())
    assert nn.BiSequencer(whole, nn.Tanh()).getForward() is whole


@pytest.mark.parametrize("kind", [nn.BiSequencer, nn.BiSequencerLM, element_research.BiSequencer])
def test_only_forward_remembers(kind):
    net = kind(nn.LinearRNN(2, 1), nn.LinearRNN(2, 1)).remember("both")
    x = numbers(3, 2, 2)
    x = x if kind is nn.BiSequencer else list(x)
    net.forward(x)
    net.forward(x)
    steps = [side.modules[0].step for side in (net.getForward(), net.getBackward())]
    length = 2 if kind is nn.BiSequencerLM else 3
    assert steps == [2 * length, length]
    net.forget().forward(x)
    assert net.getForward().modules[0].step == length


@pytest.mark.parametrize("kind", [nn.BiSequencer, nn.BiSequencerLM, element_research.BiSequencer])
def test_a_mask_reaches_both_directions(kind):
    """A sequence that is padded, and masked there, gives what it gives alone."""
    net = kind(nn.RecGRU(2, 2), nn.RecGRU(2, 2)).maskZero()
    x = numbers(4, 2, 2)
    mask = np.zeros((4, 2), bool)
    mask[2:, 1] = True
    whole, alone = (x, x[:2, 1:]) if kind is nn.BiSequencer else (list(x), list(x[:2, 1:]))
    output = np.stack(net.setZeroMask(mask).forward(whole))
    expected = np.stack(net.setZeroMask(False).forward(alone))
    assert np.allclose(output[:2, 1:], expected, 0, 1e-15)
    if kind is not nn.BiSequencerLM:
        assert not output[2:, 1].any()


def test_element_researchs_merges_step_by_step():
    x = list(numbers(3, 2, 2))
    net = element_research.BiSequencer(nn.Tanh(), nn.Identity())
    assert all(map(np.array_equal, net.forward(x), [np.hstack([np.tanh(a), a]) for a in x]))
    net = element_research.BiSequencer(nn.Tanh(), nn.Identity(), nn.CSubTable())
    assert all(map(np.array_equal, net.forward(x), [np.tanh(a) - a for a in x]))
    planes = [a[:, None] for a in x]
    net = element_research.BiSequencer(nn.Tanh(), nn.Identity(), 2)
    assert [a.shape for a in net.forward(planes)] == [(2, 2, 2)] * 3


def test_a_language_model_sees_what_is_around_each_step():
    x = list(numbers(4, 2, 3))
    net = nn.BiSequencerLM(nn.RecGRU(3, 2), nn.LinearRNN(3, 2))
    output = net.forward(x)
    for place in range(4):
        other = [a if i == place else a + 1 for i, a in enumerate(x)]
        same = [a + 1 if i == place else a for i, a in enumerate(x)]
        assert np.array_equal(net.forward(same)[place], output[place])
        assert not np.allclose(net.forward(other)[place], output[place])
    assert not output[0][:, :2].any()
    assert not output[-1][:, 2:].any()
    net.forward(x)
    gradInput = net.backward(x, [np.ones((2, 4))] * 4)
    for place in (0, 1, 3):
        expected = derivative(
            lambda a, place=place: sum(
                b.sum() for b in net.forward([*x[:place], a, *x[place + 1 :]])
            ),
            x[place],
        )
        assert np.allclose(gradInput[place], expected, 1e-6, 1e-8)


def test_a_language_model_says_what_is_wrong():
    net = nn.BiSequencerLM(nn.Tanh(), nn.Tanh())
    x = list(numbers(2, 1, 2))
    assert message(ShapeError, lambda: net.forward(x[:1])) == (
        "BiSequencerLM.updateOutput: input must be a table of at least 2 steps, got [(1, 2)]"
    )
    assert message(DTypeError, lambda: net.forward(np.ones((2, 1, 2)))) == (
        "BiSequencerLM.updateOutput: input must be a table (a list), got ndarray\n"
        "  hint: a list of arrays: [input, ...]"
    )
    net.forward(x)
    message(StateError, lambda: net.backward([x[1], x[0]], [np.ones((1, 4))] * 2))
    assert message(StateError, lambda: net.accGradParameters(x, x)).startswith(
        "BiSequencerLM.accGradParameters: gradOutput is not that of the last updateGradInput"
    )
    with pytest.raises(ShapeError) as caught:
        nn.BiSequencerLM(nn.RecGRU(2, 1), nn.RecGRU(3, 1)).forward(x)
    assert caught.value.__notes__[-1] == "  at [1] of BiSequencerLM: input [(1, 2)]"


def test_modules_with_names_are_printed_by_these():
    assert repr(nn.BiSequencerLM(nn.RecGRU(3, 2), nn.Sequential(nn.Tanh()))) == "\n".join(
        [
            "BiSequencerLM {",
            "  (  fwd  ): Sequencer @ RecGRU(3 -> 2)",
            "  (  bwd  ): ReverseUnreverse @ Sequencer @ Recursor @ Sequential {",
            "    |      [input -> (0) -> output]",
            "    |      (0): Tanh",
            "    |    }",
            "  ( merge ): Sequencer @ Recursor @ JoinTable",
            "}",
        ]
    )
    assert repr(nn.RecurrentAttention(nn.CAddTable(), nn.Tanh(), 2, [3])) == "\n".join(
        [
            "RecurrentAttention {",
            "  action : Recursor @ Tanh",
            "  rnn     : Recursor @ CAddTable",
            "}",
        ]
    )


# ---------------------------------------------------------------- again and again


def test_a_repeater_gives_the_same_input_at_every_step():
    x, net = numbers(2, 3), nn.Repeater(nn.RecLSTM(3, 2), 3)
    alone = net.modules[0].clone()
    output = net.forward(x)
    assert all(map(np.array_equal, output, [alone.forward(x) for _ in range(3)]))
    assert all(map(np.array_equal, net.remember().forward(x), output))
    gradInput = net.backward(x, [np.ones((2, 2))] * 3)
    expected = derivative(lambda x: sum(a.sum() for a in net.forward(x)), x)
    assert np.allclose(gradInput, expected, 1e-6, 1e-8)
    assert net.maxBPTTstep(1).seqlen == 3
    net.forward(x)
    assert message(ShapeError, lambda: net.backward(x, output[:2])) == (
        "Repeater @ RecLSTM(3 -> 2).updateGradInput: gradOutput must be a table of 3 entries, "
        "got [(2, 2), (2, 2)]"
    )
    assert message(ShapeError, lambda: nn.Repeater(nn.Tanh(), 0)) == (
        "Repeater: seqlen must be at least 1, got 0"
    )


def test_attention_acts_on_what_it_saw():
    """By hand: an action that doubles what was seen, and a state that adds input and action."""
    rnn, action = nn.Recursor(nn.Sequential(nn.CAddTable(), nn.Mul())), nn.Mul()
    rnn.modules[0].get(1).weight[:], action.weight[:] = 3, 2
    net = nn.RecurrentAttention(rnn, action, 2, [1])
    x = np.array([[1.0]])
    assert [a.item() for a in net.forward(x)] == [3, 21]
    assert [a.item() for a in net.actions] == [0, 6]
    gradOutput = [np.array([[10.0]]), np.array([[1.0]])]
    # No gradient comes to an action, but what the action's module has for the state.
    assert net.backward(x, gradOutput).item() == 33
    assert [g.item() for g in net.gradOutputs] == [10, 1]
    assert rnn.parameters()[1][0].item() == 10 * 1 + 7
    assert not action.gradWeight.any()
    net.forwardActions = True
    assert [[a.item() for a in pair] for pair in net.forward(x)] == [[3, 0], [21, 6]]
    net.zeroGradParameters()
    gradOutput = [[g, np.array([[100.0]])] for g in gradOutput]
    assert net.backward(x, gradOutput).item() == 3 * (10 + 200) + 3
    assert action.gradWeight.item() == 100 * 3
    assert net.forget().actions == ()


def test_attention_says_what_is_wrong_and_at_which_step():
    net = nn.RecurrentAttention(nn.CAddTable(), nn.Linear(2, 2), 2, [3])
    with pytest.raises(ShapeError) as caught:
        net.forward(np.ones((1, 2)))
    assert caught.value.__notes__[-1] == (
        "  at [1] of RecurrentAttention: step 0 of 2, input (1, 3)"
    )
    net = nn.RecurrentAttention(nn.CAddTable(), nn.Linear(3, 2), 2, [3])
    assert message(ShapeError, lambda: net.forward(np.ones((1, 2)))) == (
        "Recursor @ CAddTable.updateOutput: output must be (1, 3), by hiddenSize, got (1, 2)"
    )
    net = nn.RecurrentAttention(nn.CAddTable(), nn.Mul(), 2, [2])
    x = np.ones((1, 2))
    net.forward(x)
    assert message(StateError, lambda: net.backward(x + 1, [x, x])).startswith(
        "RecurrentAttention.updateGradInput: input is not that of the last forward"
    )
    assert "gradOutput must be a table of 2 entries" in message(
        ShapeError, lambda: net.backward(x, [x])
    )


class Fails(nn.Mul):
    """A layer that fails where it is told to; to accumulate it fails at the second step."""

    at = None
    accumulated = 0

    def updateGradInput(self, input, gradOutput):
        if self.at == "updateGradInput":
            raise ValueError("not today")
        return super().updateGradInput(input, gradOutput)

    def accGradParameters(self, input, gradOutput, scale=1):
        super().accGradParameters(input, gradOutput, scale)
        self.accumulated += 1
        if self.at == "accGradParameters" and self.accumulated == 2:
            raise ValueError("not today")


X = numbers(2, 1)


@pytest.mark.parametrize(
    ("make", "input", "gradOutput", "note"),
    [
        (
            lambda fails: nn.Sequencer(nn.Sequential(fails, nn.Mul())),
            [X, X],
            [X, X],
            "at [0] of Sequencer: step {} of 2, gradOutput (2, 1)",
        ),
        (
            lambda fails: nn.BiSequencerLM(nn.Mul(), fails),
            [X, X, X],
            [np.ones((2, 2))] * 3,
            "at [1] of BiSequencerLM: gradOutput [(2, 1), (2, 1)]",
        ),
        (
            lambda fails: nn.RecurrentAttention(
                nn.Sequential(nn.CAddTable(), nn.Mul()), fails, 2, [1]
            ),
            X,
            [X, X],
            "at [1] of RecurrentAttention: step {} of 2, gradOutput (2, 1)",
        ),
    ],
    ids=["Sequencer", "BiSequencerLM", "RecurrentAttention"],
)
@pytest.mark.parametrize("method", ["updateGradInput", "accGradParameters"])
def test_a_backward_that_fails_says_where_and_changes_no_gradient(
    make, input, gradOutput, note, method
):
    fails = Fails()
    net = make(fails)
    net.forward(input)
    fails.at = method
    with pytest.raises(ValueError, match="not today") as caught:
        net.backward(input, gradOutput)
    assert caught.value.__notes__[-1] == f"  {note.format(int(method == 'updateGradInput'))}"
    assert not any(gradient.any() for gradient in net.parameters()[1])
    with pytest.raises(StateError):
        net.backward(input, gradOutput)


def test_without_a_gradient_of_the_input():
    net = nn.BiSequencerLM(nn.Mul(), nn.Mul())
    net.forward([X, X])
    net.gradInput = None
    assert net.backward([X, X], [np.ones((2, 2))] * 2) is None
    assert net.parameters()[1][0].any()
    del net.gradInput
    net.modules[0].gradInput = None
    assert net.backward([X, X], [np.ones((2, 2))] * 2) is None
    for inside in (False, True):
        rnn = nn.Recursor(nn.Sequential(nn.CAddTable(), nn.Mul()))
        net = nn.RecurrentAttention(rnn, nn.Mul(), 2, [1])
        (net.modules[0] if inside else net).gradInput = None
        net.forward(X)
        assert net.backward(X, [X, X]) is None
        assert rnn.parameters()[1][0].any()
    net = nn.RecurrentAttention(nn.CAddTable(), nn.Mul(), 2, [1])
    net.modules[1].gradInput = None
    net.forward(X)
    assert np.array_equal(net.backward(X, [X, X]), 2 * X)


# ---------------------------------------------------------------- norms


def test_norms_are_pulled_to_those_beside():
    net = nn.Sequencer(nn.NormStabilizer(0.5))
    h, gradOutput = numbers(4, 3, 2), numbers(4, 3, 2, seed=1)
    assert np.array_equal(net.forward(h), h)

    def loss(h):
        norms = np.linalg.norm(h, axis=2)
        return 0.5 * (np.diff(norms, axis=0) ** 2).mean(1).sum()

    assert np.isclose(net.modules[0].updateLoss(), loss(h) / 4, 1e-14)
    assert net.modules[0].loss == net.modules[0].updateLoss()
    expected = gradOutput + derivative(loss, h)
    assert np.allclose(net.backward(h, gradOutput), expected, 1e-7, 1e-8)
    net.evaluate().forward(h)
    assert np.array_equal(net.backward(h, gradOutput), gradOutput)


def test_norms_are_not_pulled_across_a_mask():
    """What counts has the gradients that it has alone; the mean is over the samples that count."""
    net = nn.Sequencer(nn.NormStabilizer()).maskZero()
    h, zero = np.array([[[3.0, 4.0]], [[3.0, 4.0]], [[0.0, 0.0]]]), np.zeros((3, 1, 2))
    net.setZeroMask(np.array([[0], [0], [1]])).forward(h)
    assert not net.backward(h, zero).any()
    assert net.modules[0].updateLoss() == 0

    alone = nn.Sequencer(nn.NormStabilizer())
    a, b = numbers(4, 1, 2), numbers(2, 1, 2, seed=1)
    padded = np.ones((5, 2, 2))
    padded[:4, :1], padded[2:4, 1:] = a, b
    mask = np.array([[0, 1], [0, 1], [0, 0], [0, 0], [1, 1]])
    net.setZeroMask(mask).forward(padded)
    together = net.backward(padded, np.zeros((5, 2, 2)))
    losses, gradients = [], []
    for h in (a, b):
        alone.forward(h)
        losses.append(alone.modules[0].updateLoss() * len(h))
        gradients.append(alone.backward(h, np.zeros_like(h)))
    assert not together[:2, 1].any()
    assert not together[4].any()
    assert np.allclose(together[0, 0], gradients[0][0, 0], 1e-14)
    # Step 3 has two samples, and both pull half as much.
    assert np.allclose(together[3, 0], gradients[0][3, 0] / 2, 1e-14)
    assert np.allclose(together[2:4, 1:], gradients[1] / 2, 1e-14)
    norms = np.linalg.norm(a[:, 0], axis=1)
    pairs = np.diff(norms) ** 2
    expected = (pairs[:2].sum() + (pairs[2] + losses[1]) / 2) / 4
    assert np.isclose(net.modules[0].updateLoss(), expected, 1e-14)


def test_norms_of_nothing():
    net = nn.NormStabilizer()
    zero, one = np.zeros((1, 2)), np.ones((1, 2))
    net.forward(zero)
    assert net.updateLoss() == 0
    net.forward(one)
    assert np.isfinite(net.backward(one, zero)).all()
    assert not net.backward(zero, zero).any()
    assert message(ShapeError, lambda: net.forward(np.ones((2, 2)))) == (
        "NormStabilizer.updateOutput: input must be (1, 2) like the step before, got (2, 2)"
    )
    assert message(ShapeError, lambda: net.forget().forward(np.ones(2))) == (
        "NormStabilizer.updateOutput: input must be (N, R), got (2,)"
    )
