"""What layers have in common that draw their output, and learn from a reward what to draw."""

from typing import Any, Self

import numpy as np

from torchlite import random
from torchlite.errors import StateError
from torchlite.kernels.arrays import Array
from torchlite.kernels.like import like
from torchlite.nn import checks
from torchlite.nn.module import Module
from torchlite.nn.nested import EMPTY, same, shapes


class Reinforced(Module):
    """Draws its output from a distribution of which the input is the parameter.

    A drawn number has no derivative. What goes back instead is the derivative of the logarithm of
    its probability times -reward: what was drawn before a large reward becomes more likely.

    Parameters
    ----------
    stochastic
        True: draw in evaluation, too.

    Attributes
    ----------
    reward
        (N,), a number for each sample: what `reinforce(reward)` of the layer, or of a network
        around it, has told it last.

    Conventions
    -----------
    A forward in training draws, and remembers output and input; a backward needs them, and a
    reward. gradOutput is looked at, and left out. The reward stays until there is another one.

    Raises
    ------
    ShapeError, DTypeError
        input, gradOutput or the reward does not fit.
    StateError
        A backward without a reward, or of another input than the last forward's.

    Reference
    ---------
    Williams, Simple statistical gradient-following algorithms for connectionist reinforcement
    learning, 1992.
    """

    remembers = True
    transient = (*Module.transient, "_input")
    # What the output was drawn for.
    _input: Any = EMPTY
    reward: Any = None

    def __init__(self, stochastic: bool = False) -> None:
        self.stochastic = bool(stochastic)

    @property
    def exempt(self) -> dict[str, str]:
        """What it breaks by definition, and what settings break."""
        broken = dict.fromkeys(
            ("gradInput", "linear"), "gradInput is that of the reward, which ignores gradOutput"
        )
        return broken | dict.fromkeys(("batch", "empty"), "the reward has a number for each sample")

    def reinforce(self, reward: Any) -> Self:
        """Take the reward of the samples of the last forward. Return self."""
        checks.must_be_floating(self, "reinforce", "reward", reward)
        if reward.ndim != 1:
            raise checks.misshapen(self, "reinforce", "reward", "(N,)", reward)
        self.reward = reward
        return self

    def updateOutput(self, input: Any) -> Array:
        self._must_fit("updateOutput", input)
        drawn = self._draw if self.train or self.stochastic else self._expectation
        output = drawn(input)
        # Broken off in between, an output is nobody's.
        self._input = EMPTY
        self.output = output
        self._input = input
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Array) -> Any:
        self._must_fit("updateGradInput", input)
        name = checks.title(self)
        if not (input is self._input or same(input, self._input)):
            known = None if self._input is EMPTY else f"input {shapes(self._input)}"
            hint = "call forward(input) first: the output is drawn there"
            raise checks.unremembered(name, self, "updateGradInput", "input", known, input, hint)
        output = self.output
        checks.must_be_gradient(self, "updateGradInput", gradOutput, output.shape, output.dtype)
        if self.reward is None:
            raise StateError(
                f"{name}.updateGradInput: there is no reward",
                layer=self,
                method="updateGradInput",
                argument="reward",
                expected=f"({len(output)},)",
                got="none",
                hint="reinforce(reward) of the network, which a criterion of rewards calls",
            )
        if self.reward.shape != output.shape[:1]:
            expected = f"({len(output)},) like the samples"
            raise checks.misshapen(self, "updateGradInput", "reward", expected, self.reward)
        reward = self.reward.reshape(-1, *(1,) * (output.ndim - 1)).astype(output.dtype)
        self.gradInput = self._gradient(input, output, -reward)
        return self.gradInput

    def _must_fit(self, method: str, input: Any) -> None:
        checks.must_be_floating(self, method, "input", input)

    def _draw(self, input: Any) -> Array:
        raise NotImplementedError

    def _expectation(self, input: Any) -> Array:
        """Return the output where nothing is drawn."""
        raise NotImplementedError

    def _gradient(self, input: Any, output: Array, factor: Array) -> Any:
        """Return factor times the derivative of the logarithm of the probability of output."""
        raise NotImplementedError


def uniforms(input: Array, shape: Any = None) -> Array:
    """Return a uniform number for each entry of input, in its precision, as Torch7 draws them."""
    draws = np.empty(input.shape if shape is None else shape, input.real.dtype)
    return like(random.uniform(out=draws), input)
