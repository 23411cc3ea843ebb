"""rprop."""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.errors import SettingError, fault
from torchlite.kernels.arrays import Array
from torchlite.optim._chunks import in_pieces
from torchlite.optim._method import Method, positive, whole

__all__ = ["rprop"]

_RPROP = Method(
    "rprop",
    "delta",
    "stepsizes",
    stepsize=positive(0.1),
    etaplus=positive(1.2),
    etaminus=positive(0.5),
    stepsizemax=positive(50),
    stepsizemin=positive(1e-6),
    niter=whole(1),
)


def rprop(
    opfunc: Callable[[Array], tuple[Any, Array]],
    x: Any = None,
    config: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
) -> tuple[Array, list[float]]:
    """Rprop: only the sign of the gradient counts; each parameter has a step size of its own.

    Maths
    -----
    For each parameter, with last = 0 and size = stepsize before the first iteration::

        size *= etaplus if g * last > 0, etaminus if g * last < 0
        size = min(max(size, stepsizemin), stepsizemax)
        g = 0 if g * last < 0
        x -= sign(g) * size
        last = g

    Config
    ------
    stepsize : 0.1
    etaplus : 1.2
    etaminus : 0.5
    stepsizemax : 50
    stepsizemin : 1e-6
    niter : 1
        Iterations in one call.

    State
    -----
    delta, the last gradient, 0 where its sign had changed; stepsizes, the step sizes.

    Conventions
    -----------
    For gradients over all the data: the noise of minibatches changes signs. The list that is
    returned has an entry for every iteration.

    Raises
    ------
    ShapeError, DTypeError, StateError, SettingError
        See `torchlite.optim`.

    Example
    -------
    Down at 5, further down with a longer step, then back with a shorter one:

    >>> import numpy as np
    >>> from torchlite import optim
    >>> x, config = np.array([5.0]), {"stepsize": 2, "etaplus": 2, "etaminus": 0.25}
    >>> for _ in range(4):
    ...     x, fs = optim.rprop(lambda x: (abs(x[0]), np.sign(x)), x, config)
    ...     print(fs, x)
    [5.0] [3.]
    [3.0] [-1.]
    [1.0] [-1.]
    [1.0] [0.]

    Reference
    ---------
    Torch7, optim/rprop.lua. Riedmiller, Braun: A direct adaptive method for faster
    backpropagation learning: the RPROP algorithm, 1993.
    """
    settings, state = _RPROP.begin(opfunc, x, config, state)
    etaplus, etaminus = settings.etaplus, settings.etaminus
    smallest, largest = settings.stepsizemin, settings.stepsizemax
    if smallest > largest:
        raise fault(
            SettingError, "rprop", "stepsizemin", f"at most stepsizemax = {largest}", str(smallest)
        )
    gradient = _RPROP.recall(state, "delta", x)
    sizes = _RPROP.recall(state, "stepsizes", x, fill=settings.stepsize)

    fs = []

    def update(p: Any, g: Any, last: Any, size: Any, s: Any, r: Any) -> None:
        # Of signs, because the product of two small gradients is 0.
        np.sign(g, out=r)
        np.sign(last, out=s)
        s *= r
        turned = s < 0
        size[s > 0] *= etaplus
        size[turned] *= etaminus
        np.clip(size, smallest, largest, out=size)
        last[...] = g
        last[turned] = 0
        r[turned] = 0
        r *= size
        p -= r

    for _ in range(settings.niter):
        fx, dfdx = _RPROP.evaluate(opfunc, x)
        fs.append(fx)
        state.update(delta=gradient, stepsizes=sizes)
        in_pieces(update, x, dfdx, gradient, sizes, scratch=2, takes_long=True)
    return x, fs
