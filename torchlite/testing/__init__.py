"""The gradient and contract checker, for torchlite's layers and for yours.

`check_module`, `check_criterion` and `check_network` need NumPy alone; so do the tests of
`module_contract` and `criterion_contract`, but for those that draw with the help of `strategies`:
these need Hypothesis. `jacobian` has the classic tools under Torch7's names.
"""

import importlib
import sys
from typing import Any

from torchlite.testing.check import Report, check_criterion, check_module
from torchlite.testing.contract import criterion_contract, module_contract
from torchlite.testing.network import NetworkReport, check_network
from torchlite.testing.properties import CRITERION_PROPERTIES, PROPERTIES
from torchlite.testing.violations import (
    ContractViolation,
    ContractViolations,
    GradientMismatch,
)

__all__ = [
    "CRITERION_PROPERTIES",
    "PROPERTIES",
    "ContractViolation",
    "ContractViolations",
    "GradientMismatch",
    "NetworkReport",
    "Report",
    "check_criterion",
    "check_module",
    "check_network",
    "criterion_contract",
    "module_contract",
]

_LATER = {"strategies", "jacobian"}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'torchlite.testing' has no attribute {name!r}")
    return importlib.import_module(f"torchlite.testing.{name}")


# What pytest shows of a failure ends where the user's frames end.
for _name, _module in list(sys.modules.items()):
    if _name.startswith("torchlite.testing."):
        vars(_module)["__tracebackhide__"] = True
