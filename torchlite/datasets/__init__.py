"""Small data that ships with the package, and minibatches."""

from torchlite.datasets.digits import Split, digits
from torchlite.datasets.minibatches import minibatches

__all__ = ["Split", "digits", "minibatches"]
