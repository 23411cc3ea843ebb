"""Every layer and criterion, by chapter of Torch7's documentation."""

# The three contracts
from torchlite.nn.container import Container

# Containers
from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.criterion import Criterion

# Criterions
from torchlite.nn.criterions.mse_criterion import MSECriterion
from torchlite.nn.module import Module

# Simple layers
from torchlite.nn.simple.identity import Identity
from torchlite.nn.simple.linear import Linear

# Transfer functions
from torchlite.nn.transfer.relu import ReLU

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
