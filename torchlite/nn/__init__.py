"""Every layer and criterion, by chapter of Torch7's documentation."""

# The three contracts
from torchlite.nn.container import Container
from torchlite.nn.criterion import Criterion
from torchlite.nn.module import Module

# Containers
from torchlite.nn.containers.sequential import Sequential

# Transfer functions
from torchlite.nn.transfer.relu import ReLU

# Simple layers
from torchlite.nn.simple.identity import Identity
from torchlite.nn.simple.linear import Linear

# Criterions
from torchlite.nn.criterions.mse_criterion import MSECriterion

__all__ = [
    "Container",
    "Criterion",
    "Identity",
    "Linear",
    "MSECriterion",
    "Module",
    "ReLU",
    "Sequential",
]
