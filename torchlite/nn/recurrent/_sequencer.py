"""What all modules have in common that run others over the steps of a sequence."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

from torchlite.kernels.arrays import Number
from torchlite.nn import checks
from torchlite.nn._remembering import Remembering, any_complex, numpy_raises
from torchlite.nn._through_time import recurrents
from torchlite.nn.module import fails_anywhere
from torchlite.nn.recurrent._states import GoesOn
from torchlite.nn.stateful import restored

__all__ = ["AbstractSequencer", "running"]


class AbstractSequencer(GoesOn, Remembering):
    """A module that is given whole sequences, and runs what is inside it once a step.

    Conventions
    -----------
    Every sequence starts anew, unless `remember(mode)` says otherwise: then it goes on from the
    state that the last one left, as a constant. Where the mode changes, training or evaluation, a
    sequence starts anew in any case, but for states that were set since the change. The steps of a
    sequence are those of one forward, however many: `maxBPTTstep` is for modules that are called
    once a step.
    """

    _validates = True
    _runs_steps = True
    transient = (*Remembering.transient, "_mode")
    # Whether the last forward was one in training.
    _mode: Any = None

    def forget(self) -> Self:
        """Let the next sequence start anew. Return self."""
        self._forget()
        return super().forget()

    def maxBPTTstep(self, rho: int) -> Self:
        """Do nothing: a backward goes through the whole sequence. Return self."""
        return self

    def _begin(self) -> None:
        """Start a sequence: anew, or from the state that the one before left."""
        self._forget()
        if not self._goes_on():
            self.forget()
        elif self._mode is not self.train:
            cells = [rnn for module in self.modules for rnn in recurrents(module)]
            were_set = [rnn for rnn in cells if rnn._set_in is self.train and not rnn.steps]
            states = [(rnn, rnn.step, rnn._now) for rnn in were_set]
            self.forget()
            for rnn, step, state in states:
                rnn.step, rnn._now = step, state
        self._mode = self.train

    def accGradParameters(self, input: Any, gradOutput: Any, scale: Number = 1) -> None:
        """Run accGradParameters of what is inside, from the last step to the first."""
        scale = checks.scale(self, scale)
        steps = self._steps(input, gradOutput)
        if self._may_fail() or numpy_raises() or any_complex((input, gradOutput, self.output)):
            with restored(self.parameters()[1]):
                self._accumulate(steps, scale)
        else:
            self._accumulate(steps, scale)

    def _look_ahead(self, input: Any, gradOutput: Any, planned: Any) -> bool:
        self._steps(input, gradOutput)
        return self._may_fail()

    def _may_fail(self) -> bool:
        """Tell whether a layer inside may fail after others have accumulated."""
        return any(
            type(part)._look_ahead is fails_anywhere or part.gradInput is None
            for part in self.listModules()
        )


@contextmanager
def running(module: Any, steps: int) -> Iterator[None]:
    """Let recurrent modules take this many steps, and keep them all.

    They keep no step that they took before. If the with block raises, they stand where they stood.
    """
    before = [(rnn, rnn.step, rnn._now) for rnn in recurrents(module)]
    for rnn, *_ in before:
        rnn._start_sequence()
        rnn._length = steps
    try:
        yield
    except BaseException:
        for rnn, step, state in before:
            rnn.steps, rnn._now, rnn._gradNow = (), state, None
            rnn.step = rnn._back = rnn._summed = step
        raise
    finally:
        for rnn, *_ in before:
            del rnn._length
