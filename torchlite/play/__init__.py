"""A network that trains while one looks at it."""

from torchlite.play.data import PROBLEMS, Problem

__all__ = ["PROBLEMS", "Problem"]
