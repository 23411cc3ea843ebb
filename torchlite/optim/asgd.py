"""asgd."""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import axpy
from torchlite.optim._chunks import in_pieces
from torchlite.optim._method import Method, at_least_0, number, positive

__all__ = ["asgd"]

_ASGD = Method(
    "asgd",
    "t",
    "eta_t",
    "mu_t",
    "ax",
    eta0=positive(1e-4),
    **{"lambda": at_least_0(1e-4)},
    alpha=number(0.75),
    t0=number(1e6),
)


def asgd(
    opfunc: Callable[[Array], tuple[Any, Array]],
    x: Any = None,
    config: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
) -> tuple[Array, list[float], Array]:
    """Averaged stochastic gradient descent: returns the average of the x's, too.

    Maths
    -----
    At call t = 0, 1, ...::

        eta = eta0 / (1 + lambda * eta0 * t)**alpha
        mu = 1 / max(1, t - t0)
        x = (1 - lambda * eta) * x - eta * df/dx
        average += mu * (x - average)

    Config
    ------
    eta0 : 1e-4
        The learning rate at first.
    lambda : 1e-4
        A weight decay, which also slows the learning down.
    alpha : 0.75
    t0 : 1e6
        Calls before the average sets in: until then it is x itself.

    State
    -----
    t, the number of calls; eta_t and mu_t, eta and mu of the next; ax, the average.

    Returns
    -------
    x, the list with f(x), and the average: the array in the state, which the next call updates.

    Raises
    ------
    ShapeError, DTypeError, StateError, SettingError
        See `torchlite.optim`.

    Example
    -------
    x goes 3, 2, 1, 0; the average stays with it up to t = 1, then becomes (1 + 0) / 2.

    >>> import numpy as np
    >>> from torchlite import optim
    >>> x, config = np.array([4.0]), {"eta0": 1, "lambda": 0, "t0": 1}
    >>> for _ in range(4):
    ...     x, fs, average = optim.asgd(lambda x: (x[0], np.array([1.0])), x, config)
    ...     print(fs, x, average)
    [4.0] [3.] [3.]
    [3.0] [2.] [2.]
    [2.0] [1.] [1.]
    [1.0] [0.] [0.5]

    Reference
    ---------
    Torch7, optim/asgd.lua. Bottou: sgd 2.0, 2011. Polyak, Juditsky: Acceleration of stochastic
    approximation by averaging, 1992.
    """
    settings, state = _ASGD.begin(opfunc, x, config, state)
    eta0, lambda_ = settings.eta0, vars(settings)["lambda"]
    average = _ASGD.recall(state, "ax", x)

    fx, dfdx = _ASGD.evaluate(opfunc, x)
    t, eta, mu = state.get("t", 0) + 1, state.get("eta_t", eta0), state.get("mu_t", 1)
    state.update(
        t=t,
        eta_t=eta0 / (1 + lambda_ * eta0 * t) ** settings.alpha,
        mu_t=1 / max(1, t - settings.t0),
        ax=average,
    )

    def update(p: Any, g: Any, a: Any, s: Any) -> None:
        p *= 1 - lambda_ * eta
        axpy(p, -eta, g)
        if mu == 1:
            a[...] = p
        else:
            np.subtract(p, a, out=s)
            axpy(a, mu, s)

    in_pieces(update, x, dfdx, average, scratch=1)
    return x, [fx], average
