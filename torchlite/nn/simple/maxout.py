"""Maxout."""

from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn._network import Network
from torchlite.nn.module import Module
from torchlite.nn.simple.linear import Linear
from torchlite.nn.simple.max import Max
from torchlite.nn.simple.view import View

__all__ = ["Maxout"]


class Maxout(Network):
    """The largest of several linear maps, for each output.

    It is a network: `Linear`, `View`, perhaps a module of your own, `Max`.

    Maths
    -----
    ::

        weight, bias = modules[0].weight, modules[0].bias
        maps = (input @ weight.T + bias).reshape(len(input), -1, gradOutput.shape[1])
        output = maps.max(1)
        gradMaps = gradOutput[:, None] * (maps == output[:, None])
        gradInput = gradMaps.reshape(len(input), -1) @ weight

    The parameters are those of modules[0].

    Shapes
    ------
    input (inputSize,) or (N, inputSize); output (outputSize,) or (N, outputSize).

    Parameters
    ----------
    inputSize, outputSize
        Integers of at least 0.
    maxoutNumber
        How many linear maps there are for each output.
    preprocess
        A module that is called between `View` and `Max`, on (N, maxoutNumber, outputSize).

    Conventions
    -----------
    Of several maps that are equally large the first gets the gradient. Remembers its forward, as
    every `Sequential`; one sample goes through its modules as a batch of one.

    Raises
    ------
    ShapeError, DTypeError
        input or gradOutput does not fit.
    StateError
        input is not that of the last forward.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> layer = nn.Maxout(1, 2, 2)
    >>> layer.get(0).weight[:] = [[1], [1], [-1], [3]]
    >>> layer.get(0).bias[:] = 0
    >>> x = np.array([[2.0], [-2.0]])
    >>> layer.forward(x)
    array([[ 2.,  6.],
           [ 2., -2.]])
    >>> layer.backward(x, np.array([[1.0, 10.0], [1.0, 10.0]]))
    array([[31.],
           [ 9.]])

    Reference
    ---------
    Torch7, nn/Maxout.lua. Goodfellow and others, Maxout networks, 2013.
    """

    def __init__(
        self, inputSize: int, outputSize: int, maxoutNumber: int, preprocess: Module | None = None
    ) -> None:
        inputSize = checks.size(self, "inputSize", inputSize)
        outputSize = checks.at_least(self, "outputSize", outputSize, 1)
        maxoutNumber = checks.at_least(self, "maxoutNumber", maxoutNumber, 1)
        super().__init__(
            Linear(inputSize, outputSize * maxoutNumber),
            View(maxoutNumber, outputSize).setNumInputDims(1),
        )
        if preprocess is not None:
            self.add(preprocess)
        self.add(Max(0, 2))

    @property
    def exempt(self) -> dict[str, str]:
        """What settings break."""
        return {"maths": "it is said without preprocess"} if len(self.modules) > 3 else {}

    def _must_fit(self, input: Array) -> None:
        weight = self.modules[0].weight
        checks.must_be_rows(self, "updateOutput", input, weight.shape[1], weight.dtype)
