"""What margin losses between the scores of classes have in common."""

from torchlite.kernels.arrays import Array
from torchlite.nn.criterions._elementwise import Elementwise


class ClassMargin(Elementwise):
    """A loss of scores (C,) or (N, C), divided by C always, and by N with sizeAverage."""

    def _divisor(self, input: Array) -> int:
        return (input.size if self.sizeAverage else input.shape[-1]) or 1
