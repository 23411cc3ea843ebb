"""de."""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite import random
from torchlite.errors import SettingError, ShapeError, fault
from torchlite.kernels.arrays import Array
from torchlite.optim._method import Key, Method, number, positive, whole

__all__ = ["de"]

_DE = Method(
    "de",
    popsize=whole(None, least=3),
    scaleFactor=positive(0.5),
    crossoverRate=Key(0.9, (int, float), "from 0 to 1", lambda v: 0 <= v <= 1),
    maxFEs=whole(None),
    maxRegion=number(30),
    minRegion=number(-30),
)


def de(
    opfunc: Callable[[Array], Any],
    x: Any = None,
    config: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
) -> tuple[Array, list[float]]:
    """Differential evolution: points moved by the differences of others. Needs no gradient.

    Maths
    -----
    In each generation every point p gets a child, made from the best point of all and two others
    that are drawn, q and r. Each coordinate of the child, with the probability crossoverRate, and
    one in any case, is that of::

        best + scaleFactor * (q - r)

    and the others are those of p. A child that is not worse than p takes its place.

    Config
    ------
    popsize : 10 * N
        Points, at least 3. N is the size of x.
    scaleFactor : 0.5
    crossoverRate : 0.9
    maxFEs : 100 * popsize
        How often opfunc is called; at least popsize.
    maxRegion : 30
    minRegion : -30
        The first points are x and uniform draws between these bounds. Later ones may leave them.

    State
    -----
    Nothing: each call begins anew.

    Returns
    -------
    The best point, a new array, and the list of f at every evaluation.

    Conventions
    -----------
    The points are written to x one after the other, so that a network that has its parameters in
    x is the network that is judged; in the end x is what it was. opfunc may return f alone. Draws
    from `torchlite.random`.

    Raises
    ------
    ShapeError, DTypeError, SettingError
        See `torchlite.optim`. Also for bounds that leave no room, a maxFEs smaller than popsize
        and an empty x.

    Example
    -------
    >>> import numpy as np
    >>> from torchlite import optim, random
    >>> random.manualSeed(1)
    >>> x = np.array([4.0, -2.0])
    >>> best, fs = optim.de(lambda x: x @ x / 2, x)
    >>> fs[0], len(fs), bool(np.abs(best).max() < 1e-4), x
    (10.0, 2000, True, array([ 4., -2.]))

    Reference
    ---------
    Torch7, optim/de.lua. Storn, Price: Differential evolution, 1997 (the variant best/1/bin).
    """
    settings, _ = _DE.begin(opfunc, x, config, state)
    if not x.size:
        raise fault(ShapeError, "de", "x", "an array of 1 entry or more", str(x.shape))
    low, high = settings.minRegion, settings.maxRegion
    if low >= high:
        raise fault(SettingError, "de", "minRegion", f"less than maxRegion = {high}", str(low))
    popsize = settings.popsize or 10 * x.size
    maxFEs = settings.maxFEs or 100 * popsize
    if maxFEs < popsize:
        raise fault(SettingError, "de", "maxFEs", f"at least popsize = {popsize}", str(maxFEs))

    start = x.copy()
    points = np.empty((popsize, x.size), x.dtype)
    random.uniform(low, high, out=points)
    points[0] = start.reshape(-1)
    fs: list[float] = []

    def measure(point: Array) -> float:
        x[...] = point.reshape(x.shape)
        fs.append(_DE.value(opfunc, x))
        return fs[-1]

    try:
        fitness = np.array([measure(point) for point in points])
        while len(fs) < maxFEs:
            best = points[fitness.argmin()]
            children = np.array([_child(i, points, best, settings) for i in range(popsize)])
            found = np.array([measure(child) for child in children[: maxFEs - len(fs)]])
            better = np.flatnonzero(found <= fitness[: len(found)])
            points[better], fitness[better] = children[better], found[better]
    finally:
        x[...] = start
    return points[fitness.argmin()].reshape(x.shape).copy(), fs


def _child(i: int, points: Array, best: Array, settings: Any) -> Array:
    q = _draw(len(points), i)
    r = _draw(len(points), i, q)
    always = _draw(points.shape[1])
    crossed = random.uniform(size=points.shape[1]) < settings.crossoverRate
    crossed[always] = True
    return np.where(crossed, best + settings.scaleFactor * (points[q] - points[r]), points[i])


def _draw(n: int, *taken: int) -> int:
    """Draw a position below n that is not taken."""
    while True:
        position = int(random.random(n)) - 1
        if position not in taken:
            return position
