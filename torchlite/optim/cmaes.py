"""cmaes."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite import random
from torchlite.errors import SettingError, ShapeError, fault
from torchlite.kernels.arrays import Array
from torchlite.optim._method import Method, number, positive, whole

__all__ = ["cmaes"]

_CMAES = Method(
    "cmaes",
    sigma=positive(None),
    maxEval=positive(None),
    ftarget=number(None),
    popsize=whole(None, least=2),
    verb_disp=whole(0, least=0),
    min_iterations=whole(1),
)


def cmaes(
    opfunc: Callable[[Array], Any],
    x: Any = None,
    config: dict[str, Any] | None = None,
    state: dict[str, Any] | None = None,
) -> tuple[Array, list[float], int]:
    """CMA-ES: a cloud of points that learns its shape from the best of them. Needs no gradient.

    Maths
    -----
    Each generation draws popsize points from a normal distribution, of mean m (x at first) and
    covariance sigma**2 * C (C = 1 at first). The best half of them, weighted by rank, give the
    next m; the path that m takes gives sigma and C; see the reference.

    Config
    ------
    sigma
        The standard deviation at first, in each coordinate. There is no default.
    maxEval : 1000 * N**2
        Of points; the generation in which they are used up is completed. N is the size of x.
    ftarget : None
        Stop when f is not greater.
    popsize : 4 + int(3 * log(N))
    verb_disp : 0
        Print a line at every such generation.
    min_iterations : 1
        Generations that there are in any case.

    State
    -----
    Nothing: each call begins anew.

    Returns
    -------
    The best point, a new array; the list of f: of x, of the best of each generation, of the best
    of all; the number of points.

    Conventions
    -----------
    The points are written to x one after the other, so that a network that has its parameters in
    x is the network that is judged; in the end x is what it was. opfunc may return f alone. It is
    over, too, when a generation differs by less than 1e-12 in f or sigma * sqrt(C) is under
    1e-11, or when the longest axis is 1e7 times the shortest. Draws from `torchlite.random`.

    Raises
    ------
    ShapeError, DTypeError, SettingError
        See `torchlite.optim`. Also without a sigma, and for an empty x.

    Example
    -------
    >>> import numpy as np
    >>> from torchlite import optim, random
    >>> random.manualSeed(1)
    >>> x = np.array([4.0, -2.0])
    >>> best, fs, points = optim.cmaes(lambda x: x @ x / 2, x, {"sigma": 1, "ftarget": 1e-9})
    >>> fs[0], bool(np.abs(best).max() < 1e-4), x
    (10.0, True, array([ 4., -2.]))

    Reference
    ---------
    Torch7, optim/cmaes.lua. Hansen: barecmaes2.py, 2014, and The CMA evolution strategy: a
    tutorial, 2016.
    """
    settings, _ = _CMAES.begin(opfunc, x, config, state)
    sigma = settings.sigma
    if sigma is None:
        raise fault(
            SettingError,
            "cmaes",
            "sigma",
            "a finite number greater than 0",
            "nothing",
            hint='{"sigma": 1.0} is the standard deviation to search with at first',
        )
    if not x.size:
        raise fault(ShapeError, "cmaes", "x", "an array of 1 entry or more", str(x.shape))
    n = x.size
    maxEval = 1e3 * n**2 if settings.maxEval is None else settings.maxEval
    popsize = settings.popsize or 4 + int(3 * math.log(n))

    # How selection weighs the best half, and how fast the paths, C and sigma follow it.
    half = popsize / 2
    weights = math.log(half + 0.5) - np.log(np.arange(1, int(half) + 1))
    weights /= weights.sum()
    mueff = 1 / float(weights @ weights)
    cc = (4 + mueff / n) / (n + 4 + 2 * mueff / n)
    cs = (mueff + 2) / (n + mueff + 5)
    c1 = 2 / ((n + 1.3) ** 2 + mueff)
    cmu = min(1 - c1, 2 * (mueff - 2 + 1 / mueff) / ((n + 2) ** 2 + mueff))
    damps = 2 * mueff / popsize + 0.3 + cs

    start = x.copy()
    mean = start.reshape(-1).astype(np.float64)
    pc, ps = np.zeros(n), np.zeros(n)
    # C = B @ diag(D**2) @ B.T
    C, B, D, inverse_root = np.eye(n), np.eye(n), np.ones(n), np.eye(n)
    evaluations = decomposed = generation = 0
    best, best_f = mean, math.inf

    def measure(point: Array) -> float:
        x[...] = point.reshape(x.shape)
        return _CMAES.value(opfunc, x)

    def over() -> str | None:
        """Return the reason why the search is over, or None."""
        if evaluations >= maxEval:
            return "evals"
        if settings.ftarget is not None and fitness[0] <= settings.ftarget:
            return "ftarget"
        if D.max() > 1e7 * D.min():
            return "condition"
        if fitness[-1] - fitness[0] < 1e-12:
            return "tolfun"
        return "tolx" if sigma * D.max() < 1e-11 else None

    try:
        fs = [_CMAES.value(opfunc, x)]
        while generation < settings.min_iterations or over() is None:
            generation += 1
            # The decomposition costs n**3: put off until C has changed enough.
            if evaluations - decomposed > popsize / (c1 + cmu) / n / 10:
                decomposed = evaluations
                variances, B = np.linalg.eigh(C, UPLO="U")
                # Rounding can make the smallest negative; as small as this ends the search.
                D = np.sqrt(np.maximum(variances, 1e-16 * variances[-1]))
                inverse_root = B / D @ B.T
            points = mean + sigma * (random.normal(size=(popsize, n)) * D @ B.T)
            fitness = np.array([measure(point) for point in points])
            evaluations += popsize

            order = fitness.argsort(kind="stable")
            fitness, parents = fitness[order], points[order[: len(weights)]]
            fs.append(float(fitness[0]))
            if fs[-1] < best_f:
                best, best_f = parents[0], fs[-1]
            last, mean = mean, weights @ parents

            moved = (mean - last) / sigma
            ps = (1 - cs) * ps + math.sqrt(cs * (2 - cs) * mueff) * (inverse_root @ moved)
            length = float(ps @ ps) / n
            # Where sigma grows fast, C waits.
            steady = length / (1 - (1 - cs) ** (2 * generation)) < 2 + 4 / (n + 1)
            pc = (1 - cc) * pc + steady * math.sqrt(cc * (2 - cc) * mueff) * moved
            deviations = (parents - last) / sigma
            C *= 1 - cmu - (c1 if steady else c1 * (1 - cc * (2 - cc)))
            C += c1 * np.outer(pc, pc) + cmu * (deviations.T * weights @ deviations)
            sigma *= math.exp(min(0.6, cs / damps * (length - 1) / 2))
            if settings.verb_disp:
                _display(generation, settings.verb_disp, evaluations, D, sigma, C, fs[-1])
        if settings.verb_disp:
            print(f"termination by {over()}\nbest f-value = {best_f}")
    finally:
        x[...] = start
    fs.append(best_f)
    return best.reshape(x.shape).astype(x.dtype), fs, evaluations


def _display(
    generation: int, every: int, evaluations: int, D: Array, sigma: float, C: Array, f: float
) -> None:
    if generation == 1 or generation % (10 * every) == 0:
        print("evals:\t ax-ratio max(std)   f-value")
    if generation <= 2 or generation % every == 0:
        deviation = sigma * math.sqrt(C.diagonal().max())
        print(f"{evaluations}:  {D.max() / D.min():6.1f} {deviation:8.1e} {f}")
