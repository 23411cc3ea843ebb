"""Networks of PyTorch: there and back, and their parameters, also without it."""

from torchlite.interop.pytorch.convert import from_torch as from_torch
from torchlite.interop.pytorch.convert import to_torch as to_torch
from torchlite.interop.pytorch.optimizers import from_torch_optimizer as from_torch_optimizer
from torchlite.interop.pytorch.optimizers import to_torch_optimizer as to_torch_optimizer
from torchlite.interop.pytorch.parameters import load_state_dict as load_state_dict
from torchlite.interop.pytorch.parameters import state_dict as state_dict

__all__ = [
    "from_torch",
    "from_torch_optimizer",
    "load_state_dict",
    "state_dict",
    "to_torch",
    "to_torch_optimizer",
]
