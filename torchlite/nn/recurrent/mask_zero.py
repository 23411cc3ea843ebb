"""MaskZero."""

from typing import Any, Self

from torchlite.nn import checks
from torchlite.nn.module import Module
from torchlite.nn.recurrent._masking import Masking, found
from torchlite.nn.recurrent._masks import masked, told

__all__ = ["MaskZero"]


class MaskZero(Masking):
    """A module on samples of which some do not count: what they give, and get back, is zero.

    Maths
    -----
    ::

        output = zeroed(modules[0].updateOutput(input), mask)
        gradInput = modules[0].updateGradInput(input, zeroed(gradOutput, mask))

    zeroed(array, mask) is a copy with zeros where the mask, of the first dimensions, is True. The
    parameters' gradients are those of zeroed(gradOutput, mask), too: a masked sample counts
    nowhere.

    Shapes
    ------
    Those of the module. The mask is (N,), or (T, N) for a sequence at once: the first dimensions of
    all arrays of the output.

    Parameters
    ----------
    module
        The module.
    v1
        True: the mask is not told but found, (N,): where the sample has nothing but zeros (ids: -1)
        in the first array of the input.
    maskinput
        Whether the module is given zeros, too, in the masked samples of its input, whatever stood
        there, and gradInput is zero there.
    maskoutput
        False leaves the output as it is, and gradOutput.

    Attributes
    ----------
    zeroMask
        What `setZeroMask(mask)` has set, True or 1 where a sample does not count; False: every
        sample counts. Without v1 a forward wants one of the two. It holds until another is set.
    mask
        The mask of the last forward, None if every sample counted.

    Conventions
    -----------
    Remembers its forward, as all containers do. In a module that is recurrent inside, what is
    masked is the output alone: `maskZero()` of the recurrent module lets its state start anew, too.

    Raises
    ------
    StateError
        No mask was told. input is not that of the last forward.
    ShapeError, DTypeError, SettingError
        The mask does not fit the output (with maskinput: the input), or is none.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.MaskZero(nn.AddConstant(1))
    >>> net = net.setZeroMask(np.array([False, True]))
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0]])
    >>> net.forward(x)
    array([[2., 3.],
           [0., 0.]])
    >>> net.backward(x, x)
    array([[1., 2.],
           [0., 0.]])

    Reference
    ---------
    torch/rnn, MaskZero.lua, which gives the gradients of parameters the gradOutput as it came.
    """

    zeroMask: Any = None

    def __init__(
        self, module: Module, v1: bool = False, maskinput: bool = False, maskoutput: bool = True
    ) -> None:
        super().__init__(module)
        self.v1 = bool(v1)
        self.maskinput = bool(maskinput)
        self.maskoutput = bool(maskoutput)

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        if self.v1:
            return {}
        of_these = dict.fromkeys(("batch", "empty", "container"), "the mask is of these samples")
        return {"nan": "what is masked is zero, whatever stood there", **of_these}

    def setZeroMask(self, zeroMask: Any) -> Self:
        """Say which samples do not count, (N,) or (T, N), or False: all of them do. Return self."""
        zeroMask = checks.mask(self, zeroMask)
        super().setZeroMask(zeroMask)
        self.zeroMask = zeroMask
        return self

    def _masks(self, input: Any) -> Any:
        method = "updateOutput"
        return found(self, method, input) if self.v1 else told(self, method)

    def _deal(self, input: Any) -> list[Any]:
        dealt = super()._deal(input)
        if self.mask is None or not self.maskinput:
            return dealt
        return [masked(self, "updateOutput", "input", input, self.mask)]

    def _join(self, input: Any, outputs: list[Any]) -> Any:
        return super()._join(input, outputs) if self.maskoutput else outputs[0]

    def _deal_back(self, method: str, gradOutput: Any) -> list[Any]:
        return super()._deal_back(method, gradOutput) if self.maskoutput else [gradOutput]

    def _join_back(self, input: Any, gradInputs: list[Any]) -> Any:
        if self.mask is None or not self.maskinput:
            return gradInputs[0]
        return masked(self, "updateGradInput", "gradInput of its module", gradInputs[0], self.mask)
