"""What every layer must do: one function a property.

Each takes a Subject and fails by raising; its docstring is the rule in a sentence. `PROPERTIES`
has them by name.
"""

from collections.abc import Callable

from torchlite.testing.properties import (
    arrays,
    batches,
    behaviour,
    calls,
    copies,
    faults,
    gradients,
    parameters,
    purity,
)
from torchlite.testing.subject import Subject

__all__ = ["PROPERTIES"]

# In the order in which they are checked: the first that fails is the most telling.
_IN_ORDER: list[Callable[[Subject], None]] = [
    purity.repeat,
    purity.mutation,
    calls.split,
    gradients.gradInput,
    gradients.gradParameters,
    gradients.integers,
    gradients.accumulate,
    gradients.scale,
    gradients.linear,
    batches.batch,
    batches.empty,
    arrays.aliasing,
    arrays.dtype,
    arrays.layout,
    calls.twice,
    calls.interleave,
    copies.clone,
    copies.pickle_,
    parameters.update,
    parameters.identity,
    parameters.zero,
    parameters.accUpdate,
    parameters.flat,
    parameters.sharing,
    behaviour.modes,
    behaviour.none,
    faults.exceptions,
    faults.nan,
    arrays.duck,
    behaviour.maths,
    behaviour.container,
]

PROPERTIES = {check.__name__.strip("_"): check for check in _IN_ORDER}
