"""Element-Research's FastLSTM."""

from typing import Any

from torchlite.nn.recurrent.fast_lstm import FastLSTM as _FastLSTM

__all__ = ["FastLSTM"]


class FastLSTM(_FastLSTM):
    """A long short-term memory without peepholes, which keeps rho steps.

    Maths
    -----
    Those of `nn.FastLSTM`.

    Shapes
    ------
    Those of `nn.FastLSTM`.

    Parameters
    ----------
    rho
        So many steps before the last one are kept in training: `maxBPTTstep(rho)`.

    The others are those of `nn.FastLSTM`.

    Attributes
    ----------
    Those of `nn.FastLSTM`.

    Conventions
    -----------
    Fewer random numbers are drawn than by `nn.FastLSTM`, where maps without bias draw one, too.

    Raises
    ------
    What `nn.FastLSTM` raises.
    SettingError
        rho is less than 1.

    Example
    -------
    >>> from torchlite.nn.recurrent import element_research
    >>> net = element_research.FastLSTM(3, 2, rho=5)
    >>> net, net.rho
    (FastLSTM(3 -> 2), 5)

    Reference
    ---------
    Element-Research/rnn, FastLSTM.lua.
    """

    _discards = False

    def __init__(
        self,
        inputSize: int,
        outputSize: int | None = None,
        rho: int = 9999,
        eps: Any = None,
        momentum: Any = None,
        affine: Any = None,
        p: float = 0,
        mono: bool = False,
    ) -> None:
        super().__init__(inputSize, outputSize, rho, eps, momentum, affine, p, mono)
        self.maxBPTTstep(rho)
