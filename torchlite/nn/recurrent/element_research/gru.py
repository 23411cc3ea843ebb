"""Element-Research's GRU."""

from torchlite.nn.recurrent.gru import GRU as _GRU

__all__ = ["GRU"]


class GRU(_GRU):
    """A gated recurrent unit, which keeps rho steps.

    Maths
    -----
    Those of `nn.GRU`.

    Shapes
    ------
    Those of `nn.GRU`.

    Parameters
    ----------
    rho
        So many steps before the last one are kept in training: `maxBPTTstep(rho)`.

    The others are those of `nn.GRU`.

    Attributes
    ----------
    Those of `nn.GRU`.

    Conventions
    -----------
    Fewer random numbers are drawn than by `nn.GRU`, where maps without bias draw one, too.

    Raises
    ------
    What `nn.GRU` raises.
    SettingError
        rho is less than 1.

    Example
    -------
    >>> from torchlite.nn.recurrent import element_research
    >>> net = element_research.GRU(3, 2, rho=5)
    >>> net, net.rho
    (GRU(3 -> 2), 5)

    Reference
    ---------
    Element-Research/rnn, GRU.lua.
    """

    _discards = False

    def __init__(
        self,
        inputSize: int,
        outputSize: int,
        rho: int = 9999,
        p: float = 0,
        mono: bool = False,
    ) -> None:
        super().__init__(inputSize, outputSize, rho, p, mono)
        self.maxBPTTstep(rho)
