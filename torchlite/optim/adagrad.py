"""adagrad."""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import axpy
from torchlite.optim._chunks import decayed, in_pieces
from torchlite.optim._method import Method, annealed, at_least_0, number

__all__ = ["adagrad"]

_ADAGRAD = Method(
    "adagrad",
    "evalCounter",
    "paramVariance",
    learningRate=at_least_0(1e-3),
    learningRateDecay=at_least_0(0),
    weightDecay=number(0),
)


def adagrad(
    opfunc: Callable[[Array], tuple[Any, Array]],
    x: Any = None,
    config: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
) -> tuple[Array, list[float]]:
    """AdaGrad: a learning rate for each parameter, which shrinks as its gradients add up.

    Maths
    -----
    At call t = 0, 1, ..., with total = 0 before the first and g = df/dx + weightDecay * x::

        total += g**2
        x -= learningRate / (1 + t * learningRateDecay) * g / (sqrt(total) + 1e-10)

    Config
    ------
    learningRate : 1e-3
    learningRateDecay : 0
    weightDecay : 0

    State
    -----
    evalCounter, the number of calls; paramVariance, the total.

    Raises
    ------
    ShapeError, DTypeError, StateError, SettingError
        See `torchlite.optim`.

    Example
    -------
    Two gradients of the same size, 3, then 3: steps of 1 and of 1 / sqrt(2) learning rates.

    >>> import numpy as np
    >>> from torchlite import optim
    >>> x, config = np.array([5.0]), {"learningRate": 1}
    >>> for _ in range(2):
    ...     x, fs = optim.adagrad(lambda x: (3 * x[0], np.array([3.0])), x, config)
    ...     print(x.round(6))
    [4.]
    [3.292893]

    Reference
    ---------
    Torch7, optim/adagrad.lua. Duchi, Hazan, Singer: Adaptive subgradient methods for online
    learning and stochastic optimization, 2011.
    """
    settings, state = _ADAGRAD.begin(opfunc, x, config, state)
    total = _ADAGRAD.recall(state, "paramVariance", x)

    fx, dfdx = _ADAGRAD.evaluate(opfunc, x)
    evaluations = state.get("evalCounter", 0)
    rate = annealed(settings, evaluations)
    state.update(evalCounter=evaluations + 1, paramVariance=total)

    def update(p: Any, g: Any, v: Any, s: Any, r: Any) -> None:
        g = decayed(g, p, settings.weightDecay, s)
        np.multiply(g, g, out=r)
        v += r
        np.sqrt(v, out=r)
        r += 1e-10
        np.divide(g, r, out=r)
        axpy(p, -rate, r)

    in_pieces(update, x, dfdx, total, scratch=2, takes_long=True)
    return x, [fx]
