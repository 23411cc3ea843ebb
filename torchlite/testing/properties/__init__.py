"""What every layer and criterion must do: one function a property.

Each takes a Subject and fails by raising; its docstring is the rule in a sentence. `PROPERTIES` and
`CRITERION_PROPERTIES` have them by name, `LEVELS` what is asked of whom.
"""

from collections.abc import Callable

from torchlite.testing.criterion_subject import CriterionSubject
from torchlite.testing.module_subject import ModuleSubject
from torchlite.testing.properties import (
    arrays,
    batches,
    behaviour,
    calls,
    copies,
    criterions,
    faults,
    gradients,
    parameters,
    purity,
)

__all__ = ["ADVICE", "CRITERION_PROPERTIES", "LEVELS", "PROPERTIES"]

# In the order in which they are checked: the first that fails is the most telling.
_OF_MODULES: list[Callable[[ModuleSubject], None]] = [
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
_OF_CRITERIONS: list[Callable[[CriterionSubject], None]] = [
    criterions.split,
    gradients.gradInput,
    purity.mutation,
    arrays.aliasing,
    arrays.dtype,
    arrays.layout,
    purity.repeat,
    calls.interleave,
    criterions.clone,
    criterions.broadcast,
    faults.exceptions,
    faults.nan,
    arrays.duck,
    behaviour.maths,
]

PROPERTIES = {check.__name__.strip("_"): check for check in _OF_MODULES}
CRITERION_PROPERTIES = {check.__name__: check for check in _OF_CRITERIONS}

# torchlite's own strictness: layers of others do without.
ADVICE = {"duck", "exceptions", "none"}
_EVERY = {*PROPERTIES, *CRITERION_PROPERTIES}
LEVELS = {
    "gradients": {
        *("gradInput", "gradParameters", "accumulate", "scale", "linear", "batch", "modes")
    },
    "contract": _EVERY - ADVICE,
    "strict": _EVERY,
}
