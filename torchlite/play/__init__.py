"""A network that trains while one looks at it, in a browser of this machine."""

from torchlite.play.data import PROBLEMS, Problem
from torchlite.play.run import Run
from torchlite.play.trainer import Trainer
from torchlite.play.widget import widget

__all__ = ["PROBLEMS", "Problem", "Run", "Trainer", "widget"]
