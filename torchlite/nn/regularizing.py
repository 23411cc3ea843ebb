"""What dpnn does to gradients and parameters between a backward and an update.

A module may have settings of its own, attributes of the arguments' names: they go before what the
call says, for it and for all that is inside it. Each parameter counts once, wherever it stands.
"""

import math
from collections.abc import Iterator
from operator import is_
from typing import Any

import numpy as np

from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import axpy
from torchlite.kernels.norms import renorm, shorten
from torchlite.nn import checks


def clip(module: Any, **given: Any) -> float | None:
    """Do what `Module.gradParamClip` says."""
    settings = _own(module, given)
    if not settings["moduleLocal"]:
        most = _cutoff(module, settings)
        return shorten(module.parameters()[1], most) if most > 0 else None
    planned: dict[int, tuple[float, list[Array]]] = {}
    for leaf, own in _leaves(module, given):
        planned.setdefault(id(leaf), (_cutoff(leaf, own), []))
    for leaf, _, _, gradient in _each(module, given):
        planned[id(leaf)][1].append(gradient)
    squares = [shorten(gradients, most) ** 2 for most, gradients in planned.values() if most > 0]
    return math.sqrt(sum(squares)) if squares else None


def _cutoff(module: Any, settings: dict[str, Any]) -> Any:
    (cutoffNorm,) = _numbers(module, "gradParamClip", settings, "cutoffNorm")
    return cutoffNorm


def limit(module: Any, **given: Any) -> None:
    """Do what `Module.maxParamNorm` says."""
    planned = []
    for leaf, own, parameter, _ in _each(module, given):
        own = {name: 0 if length is None else length for name, length in own.items()}
        limits = _numbers(leaf, "maxParamNorm", own, "maxOutNorm", "maxInNorm")
        for axis, length in zip(leaf._norm_axes, limits, strict=True):
            if parameter.ndim > 1 and length > 0:
                planned.append((np.moveaxis(parameter, axis, 0), length))
    for rows, length in planned:
        rows[...] = renorm(rows.reshape(len(rows), -1), length).reshape(rows.shape)


def decay(module: Any, **given: Any) -> None:
    """Do what `Module.weightDecay` says."""
    planned = []
    for leaf, own, parameter, gradient in _each(module, given):
        factor, least = _numbers(leaf, "weightDecay", own, "wdFactor", "wdMinDim")
        if factor > 0 and parameter.ndim >= least:
            planned.append((gradient, factor, parameter))
    for gradient, factor, parameter in planned:
        axpy(gradient, factor, parameter)


def move(module: Any, **given: Any) -> None:
    """Do what `Module.updateGradParameters` says."""
    planned, moved = [], []
    for leaf, own, _, gradient in _each(module, given):
        moved.append(leaf)
        if own["momDamp"] is None:
            own = {**own, "momDamp": own["momFactor"]}
        numbers = _numbers(leaf, "updateGradParameters", own, "momFactor", "momDamp")
        planned.append((gradient, *numbers, own["momNesterov"]))
    if not any(factor > 0 for _, factor, *_ in planned):
        return
    shapes = [gradient.shape for gradient, *_ in planned]
    # Copies and files carry the momenta, not whose they are.
    same = all(map(is_, module._moved or moved, moved))
    if not same or [momentum.shape for momentum in module.momGradParams] != shapes:
        module.momGradParams = [gradient.copy() for gradient, *_ in planned]
    module._moved = moved
    for momentum, (gradient, factor, damp, nesterov) in zip(
        module.momGradParams, planned, strict=True
    ):
        if factor > 0:
            axpy(momentum, 1 - damp, gradient, factor)
            if nesterov:
                axpy(gradient, factor, momentum)
            else:
                gradient[...] = momentum


def _each(module: Any, given: dict[str, Any]) -> Iterator[tuple[Any, Any, Array, Array]]:
    """Yield every parameter and its gradient, and before them whose it is, with what settings."""
    whose: dict[int, tuple[Any, Any]] = {}
    for leaf, own in _leaves(module, given):
        for parameter in leaf.parameters()[0]:
            whose.setdefault(id(parameter), (leaf, own))
    for parameter, gradient in zip(*module.parameters(), strict=True):
        yield *whose[id(parameter)], parameter, gradient


def _leaves(module: Any, given: dict[str, Any]) -> Iterator[tuple[Any, dict[str, Any]]]:
    """Yield the parts whose parameters are not just those of their modules, and their settings."""
    settings = _own(module, given)
    if not module._gathers:
        yield module, settings
    else:
        for part in module.modules:
            yield from _leaves(part, settings)


def _own(module: Any, given: dict[str, Any]) -> dict[str, Any]:
    """Return the settings that hold for a module: its own, else those that are given."""
    held = {name: getattr(module, name, None) for name in given}
    return {name: given[name] if value is None else value for name, value in held.items()}


def _numbers(module: Any, method: str, settings: dict[str, Any], *names: str) -> list[Any]:
    """Return the settings of these names, which must be numbers."""
    found = [checks.number(module, method, name, settings[name]) for name in names]
    for name, value in zip(names, found, strict=True):
        # NaN is not above 0, as what says that nothing is to be done; it is meant for no such.
        if value != value:
            raise checks.out_of_range(module, method, name, "a number", repr(value))
    return found
