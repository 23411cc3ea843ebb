"""Faults that reach beyond a layer: into the whole program, or into others of its class."""

import random as python_random

import numpy as np

from bugs import Bug
from bugs.good_program import AffineOfOwnArrays, Falling, Projected
from torchlite import random


class FallingSilencesAll(Falling):
    def updateOutput(self, input):
        np.seterr(all="ignore")
        return super().updateOutput(input)


class FallingSilencesInBackward(Falling):
    def updateGradInput(self, input, gradOutput):
        np.seterr(under="ignore", over="ignore")
        return super().updateGradInput(input, gradOutput)


class ProjectedSeedsNumPy(Projected):
    def _matrix(self, n, dtype):
        np.random.seed(5)
        return np.random.uniform(-1, 1, (n, 2)).astype(dtype)


class ProjectedSeedsPython(Projected):
    def _matrix(self, n, dtype):
        python_random.seed(5)
        drawn = [python_random.uniform(-1, 1) for _ in range(2 * n)]
        return np.array(drawn, dtype).reshape(n, 2)


class ProjectedSeedsTorchlite(Projected):
    def _matrix(self, n, dtype):
        random.manualSeed(5)
        return random.uniform(-1, 1, size=(n, 2)).astype(dtype)


class AffineOfDefaults(AffineOfOwnArrays):
    def __init__(self, weight=np.ones((2, 3)), bias=np.zeros(2)):  # noqa: B008
        super().__init__(weight, bias)


class AffineOfDefaultsOfItsBase(AffineOfDefaults):
    def __init__(self):
        super().__init__()
        self.name = "affine"


class AffineOfOneGradient(AffineOfOwnArrays):
    def __init__(self, *, size=(2, 3), gradBias=np.zeros(2)):  # noqa: B008
        super().__init__(size=size)
        self.gradBias = gradBias


BUGS = [
    Bug(
        lambda: FallingSilencesAll(),
        (5, 3),
        {"repeat"},
        "the forward silences NumPy for the whole program",
    ),
    Bug(
        lambda: FallingSilencesInBackward(),
        (5, 3),
        {"repeat"},
        "the backward silences NumPy for the whole program",
    ),
    Bug(lambda: ProjectedSeedsNumPy(), (5, 3), {"repeat"}, "it seeds np.random"),
    Bug(lambda: ProjectedSeedsPython(), (5, 3), {"repeat"}, "it seeds Python's random"),
    Bug(lambda: ProjectedSeedsTorchlite(), (5, 3), {"repeat"}, "it seeds torchlite.random"),
    Bug(
        lambda: AffineOfDefaults(),
        (5, 3),
        {"clone"},
        "all instances share one weight and one bias",
    ),
    Bug(
        lambda: AffineOfDefaultsOfItsBase(),
        (5, 3),
        {"clone"},
        "all instances share the weight and the bias of the class above",
    ),
    Bug(lambda: AffineOfOneGradient(), (5, 3), {"clone"}, "all instances share one gradBias"),
]
