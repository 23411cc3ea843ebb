"""What is measured of gated cells over whole sequences: every case is a row of SEQUENCES."""

from dataclasses import dataclass, replace
from types import SimpleNamespace

__all__ = ["GROWTH_OF_SEQUENCES", "SEQUENCES", "Sequences", "drawn"]

# How many blocks of columns a weight has.
GATES = {"LSTM": 4, "GRU": 3}


@dataclass(frozen=True)
class Sequences:
    """Steps of training of layers of one cell, as wide as the input, with mean squared error.

    PyTorch's GRU resets what the product made of h, torchlite's resets h: as much work, but other
    numbers, which are not compared.
    """

    cell: str
    width: int
    layers: int
    batch: int
    steps: int
    work = "sequences"
    layer = ""
    slow = False

    @property
    def name(self):
        layers = "1 layer" if self.layers == 1 else f"{self.layers} layers"
        steps = "1 step" if self.steps == 1 else f"{self.steps} steps"
        return f"{self.cell}, {layers} of {self.width}, batch {self.batch}, {steps}"

    @property
    def title(self):
        return self.name

    def tiny(self):
        """The same work on sizes that take no time."""
        small = {name: min(getattr(self, name), 3) for name in ("width", "batch", "steps")}
        return replace(self, **small)


SEQUENCES = [
    Sequences(cell, *sizes)
    for cell in GATES
    for sizes in ((128, 2, 32, 35), (512, 1, 64, 35), (10, 1, 1, 1))
]

# How time and memory grow: by what, and the cases from small to large.
GROWTH_OF_SEQUENCES = {
    f"steps, of 2 layers of 128, batch 32: {cell}": {
        n: Sequences(cell, 128, 2, 32, n) for n in (5, 20, 80, 320)
    }
    for cell in GATES
}


def drawn(case, draw, between):
    """What all contenders begin with: weight and bias of each layer as torchlite has them, x, y."""
    width, bound = case.width, case.width**-0.5
    columns = GATES[case.cell] * width
    weights = [
        (between(bound, 2 * width, columns), between(bound, columns)) for _ in range(case.layers)
    ]
    shape = case.steps, case.batch, width
    return SimpleNamespace(weights=weights, x=draw(*shape), y=draw(*shape))
