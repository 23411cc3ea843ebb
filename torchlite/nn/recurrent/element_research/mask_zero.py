"""MaskZero."""

import warnings
from typing import Any

from torchlite.nn import checks
from torchlite.nn.module import Module
from torchlite.nn.recurrent._masking import Masking, found

__all__ = ["MaskZero"]


class MaskZero(Masking):
    """A module on samples of which some are nothing but zeros: what these give is zero, too.

    Maths
    -----
    ::

        mask = blank_rows(input, input.ndim - nInputDim)
        output = zeroed(modules[0].updateOutput(input), mask)
        gradInput = modules[0].updateGradInput(input, zeroed(gradOutput, mask))

    blank_rows(array, lead) is True where the entries, by the first lead dimensions, hold nothing
    but zeros (ids: -1); zeroed(array, mask) is a copy with zeros where the mask is True. The
    parameters' gradients are those of zeroed(gradOutput, mask), too.

    Shapes
    ------
    Those of the module. Of an input that is a table, the first array tells what is masked.

    Parameters
    ----------
    module
        The module.
    nInputDim
        How many dimensions one sample of the first array has; with one more it is a batch.
    silent
        True to take a recurrent module without a warning: its state runs on where its output is
        zero. `maskZero` of the recurrent module lets that start anew.

    Attributes
    ----------
    mask
        The mask of the last forward.

    Conventions
    -----------
    Remembers its forward, as all containers do.

    Raises
    ------
    StateError
        input is not that of the last forward.
    ShapeError, DTypeError
        input has another number of dimensions; the output has not as many samples.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.recurrent.element_research.MaskZero(nn.AddConstant(1), 1)
    >>> net.forward(np.array([[1.0, 2.0], [0.0, 0.0]]))
    array([[2., 3.],
           [0., 0.]])

    Reference
    ---------
    Element-Research/rnn, MaskZero.lua, which gives the gradients of parameters the gradOutput as it
    came.
    """

    def __init__(self, module: Module, nInputDim: int, silent: bool = False) -> None:
        super().__init__(module)
        self.nInputDim = checks.at_least(self, "nInputDim", nInputDim, 0)
        if module._steps_itself and not silent:
            warnings.warn(
                f"{type(self).__name__}: the state of {checks.title(module)} runs on where its "
                "output is zero; maskZero(nInputDim) of the module itself lets it start anew",
                stacklevel=2,
            )

    def _masks(self, input: Any) -> Any:
        return found(self, "updateOutput", input, self.nInputDim)
