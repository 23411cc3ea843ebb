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

# In the order in which they are checked: what fails for one cause fails first where the cause is.
# An array that is reused, say, looks like a wrong gradient.
_OF_MODULES: list[Callable[[ModuleSubject], None]] = [
    purity.mutation,
    parameters.identity,
    parameters.zero,
    purity.repeat,
    arrays.aliasing,
    copies.clone,
    copies.pickle_,
    behaviour.modes,
    parameters.update,
    calls.split,
    gradients.gradInput,
    gradients.gradParameters,
    gradients.integers,
    gradients.accumulate,
    gradients.scale,
    gradients.linear,
    parameters.flat,
    arrays.dtype,
    arrays.layout,
    batches.batch,
    batches.empty,
    calls.twice,
    calls.interleave,
    parameters.accUpdate,
    parameters.sharing,
    behaviour.none,
    faults.exceptions,
    faults.nan,
    arrays.duck,
    arrays.digits,
    behaviour.maths,
    behaviour.container,
]
_OF_CRITERIONS: list[Callable[[CriterionSubject], None]] = [
    purity.mutation,
    purity.repeat,
    arrays.aliasing,
    criterions.split,
    gradients.gradInput,
    arrays.dtype,
    arrays.layout,
    calls.interleave,
    criterions.clone,
    criterions.broadcast,
    faults.exceptions,
    faults.nan,
    arrays.duck,
    behaviour.maths,
]

# The underscore keeps a name apart from Python's.
PROPERTIES, CRITERION_PROPERTIES = (
    {check.__name__.removesuffix("_"): check for check in checks}
    for checks in (_OF_MODULES, _OF_CRITERIONS)
)

# torchlite's own strictness: layers of others do without.
ADVICE = {"digits", "duck", "exceptions", "none"}
_EVERY = {*PROPERTIES, *CRITERION_PROPERTIES}
LEVELS = {
    "gradients": {
        "gradInput",
        "gradParameters",
        "accumulate",
        "scale",
        "linear",
        "batch",
        "modes",
    },
    "contract": _EVERY - ADVICE,
    "strict": _EVERY,
}
