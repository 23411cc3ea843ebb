"""The gradient and contract checker, for torchlite's layers and for yours.

`check_module`, `check_criterion` and `check_network` need NumPy alone. `module_contract` and
`strategies` need Hypothesis, and load when first named. `jacobian` has the classic tools under
Torch7's names.
"""

import importlib
from typing import Any

from torchlite.testing.check import Report, check_criterion, check_module
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
]

_LATER = {"module_contract": "contract", "strategies": "", "jacobian": ""}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'torchlite.testing' has no attribute {name!r}")
    module = importlib.import_module(f"torchlite.testing.{_LATER[name] or name}")
    return getattr(module, name) if _LATER[name] else module
