"""Element-Research's LSTM."""

from torchlite.nn.recurrent.lstm import LSTM as _LSTM

__all__ = ["LSTM"]


class LSTM(_LSTM):
    """A long short-term memory with peepholes, which keeps rho steps.

    Maths
    -----
    Those of `nn.LSTM`.

    Shapes
    ------
    Those of `nn.LSTM`.

    Parameters
    ----------
    rho
        So many steps before the last one are kept in training: `maxBPTTstep(rho)`.

    The others are those of `nn.LSTM`.

    Attributes
    ----------
    Those of `nn.LSTM`.

    Conventions
    -----------
    Fewer random numbers are drawn than by `nn.LSTM`, where maps without bias draw one, too.

    Raises
    ------
    What `nn.LSTM` raises.
    SettingError
        rho is less than 1.

    Example
    -------
    >>> from torchlite.nn.recurrent import element_research
    >>> net = element_research.LSTM(3, 2, rho=5)
    >>> net, net.rho
    (LSTM(3 -> 2), 5)

    Reference
    ---------
    Element-Research/rnn, LSTM.lua.
    """

    _discards = False

    def __init__(
        self,
        inputSize: int,
        outputSize: int | None = None,
        rho: int = 9999,
        cell2gate: bool = True,
        p: float = 0,
        mono: bool = False,
    ) -> None:
        super().__init__(inputSize, outputSize, rho, cell2gate, p, mono)
        self.maxBPTTstep(rho)
