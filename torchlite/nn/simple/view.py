"""View."""

import math
from typing import Any, Self

from torchlite.errors import ShapeError
from torchlite.nn import checks
from torchlite.nn.simple._dims import leading, sample_dims
from torchlite.nn.simple._reshaping import Reshaping, sizes

__all__ = ["View"]
