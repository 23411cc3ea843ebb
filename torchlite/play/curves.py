"""A curve of as many numbers as come: old ones are averaged, so that it never grows long."""

from array import array

__all__ = ["Curve", "Samples"]

# So many points are kept at most; of a Curve, each two neighbours become one then.
MOST = 400


class Curve:
    """Means of numbers that come one after the other.

    Attributes
    ----------
    steps, values
        Of each point, the last step that it stands for, and the mean: of Python's array type,
        which is packed at once.

    Example
    -------
    >>> curve = Curve(most=4)
    >>> for step, number in enumerate([4.0, 2.0, 3.0, 1.0, 5.0, 7.0], start=1):
    ...     curve.add(step, number)
    >>> curve.steps.tolist(), curve.values.tolist()
    ([2.0, 4.0, 6.0], [3.0, 2.0, 6.0])
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.steps = array("d")
        self.values = array("d")
        # Numbers of which a point is the mean, and those of which there is none yet.
        self._each = 1
        self._count = 0
        self._sum = 0.0

    def add(self, step: int, number: float) -> None:
        """Add the number that belongs to a step."""
        self._sum += number
        self._count += 1
        if self._count < self._each:
            return
        self.steps.append(step)
        self.values.append(self._sum / self._count)
        self._sum, self._count = 0.0, 0
        if len(self.steps) == self.most:
            self.steps = self.steps[1::2]
            pairs = zip(self.values[::2], self.values[1::2], strict=True)
            self.values = array("d", [(a + b) / 2 for a, b in pairs])
            self._each *= 2


class Samples:
    """Numbers that are found now and then: what is long past is told by every second of them.

    Attributes
    ----------
    steps, values
        When each was found, and what it was.

    Example
    -------
    >>> samples = Samples()
    >>> for step, number in [(1, 0.5), (4, 0.75), (4, 1.0)]:
    ...     samples.add(step, number)
    >>> samples.steps.tolist(), samples.values.tolist()
    ([1.0, 4.0], [0.5, 1.0])
    """

    def __init__(self) -> None:
        self.steps = array("d")
        self.values = array("d")

    def add(self, step: int, number: float) -> None:
        """Add the number of a step; of the same step, in the place of the one before."""
        if self.steps and self.steps[-1] == step:
            self.steps.pop()
            self.values.pop()
        self.steps.append(step)
        self.values.append(number)
        if len(self.steps) > MOST:
            half = MOST // 2
            for kept in (self.steps, self.values):
                kept[:] = kept[:half:2] + kept[half:]
