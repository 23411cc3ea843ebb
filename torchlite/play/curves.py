"""A curve of as many numbers as come: old ones are averaged, so that it never grows long."""

__all__ = ["Curve"]

# An even number: of so many points, each two neighbours become one.
MOST = 400


class Curve:
    """Means of numbers that come one after the other.

    Example
    -------
    >>> curve = Curve(most=4)
    >>> for step, number in enumerate([4.0, 2.0, 3.0, 1.0, 5.0, 7.0], start=1):
    ...     curve.add(step, number)
    >>> curve.points
    [(2, 3.0), (4, 2.0), (6, 6.0)]
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.points: list[tuple[int, float]] = []
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
        self.points.append((step, self._sum / self._count))
        self._sum, self._count = 0.0, 0
        if len(self.points) == self.most:
            pairs = zip(self.points[::2], self.points[1::2], strict=True)
            self.points = [(b[0], (a[1] + b[1]) / 2) for a, b in pairs]
            self._each *= 2
