"""Element-Research's MuFuRu."""

from collections.abc import Sequence

from torchlite.nn.recurrent.mu_fu_ru import MuFuRu as _MuFuRu

__all__ = ["MuFuRu"]


class MuFuRu(_MuFuRu):
    """A multi-function recurrent unit, which keeps rho steps.

    Maths
    -----
    Those of `nn.MuFuRu`.

    Shapes
    ------
    Those of `nn.MuFuRu`.

    Parameters
    ----------
    rho
        So many steps before the last one are kept in training: `maxBPTTstep(rho)`.

    The others are those of `nn.MuFuRu`.

    Attributes
    ----------
    Those of `nn.MuFuRu`.

    Conventions
    -----------
    Those of `nn.MuFuRu`.

    Raises
    ------
    What `nn.MuFuRu` raises.
    SettingError
        rho is less than 1.

    Example
    -------
    >>> from torchlite.nn.recurrent import element_research
    >>> net = element_research.MuFuRu(3, 2, ["keep", "mul"], rho=5)
    >>> net, net.rho
    (MuFuRu(3 -> 2) { keep mul }, 5)

    Reference
    ---------
    Element-Research/rnn, MuFuRu.lua.
    """

    def __init__(
        self,
        inputSize: int,
        outputSize: int,
        ops: Sequence[str] | None = None,
        rho: int = 9999,
    ) -> None:
        super().__init__(inputSize, outputSize, ops)
        self.maxBPTTstep(rho)
