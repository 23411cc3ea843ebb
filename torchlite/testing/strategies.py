"""Hypothesis strategies for layers and their inputs.

Sizes are small, square ones among them; numbers are odd multiples of 1/16 (see
`torchlite.testing.values`), which shrink towards 1/16.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

try:
    from hypothesis import strategies as st
    from hypothesis.extra import numpy as arrays_of
except ImportError as error:
    raise ImportError(
        "torchlite.testing.strategies needs Hypothesis: pip install hypothesis"
    ) from error

__all__ = ["arrays", "builds", "inputs", "sizes", "tables"]


def sizes(smallest: int = 1, largest: int = 5) -> st.SearchStrategy[int]:
    """Draw a size, 1 to 5 unless said otherwise.

    Example
    -------
    >>> from hypothesis import find
    >>> find(sizes(), lambda size: size > 2)
    3
    """
    return st.integers(smallest, largest)


def builds(make: Callable[..., Any], *arguments: Any, **named: Any) -> st.SearchStrategy[Any]:
    """Draw a layer: make(...) of drawn arguments; what is no strategy is passed as it is."""
    return st.builds(
        make,
        *(_strategy(argument) for argument in arguments),
        **{name: _strategy(argument) for name, argument in named.items()},
    )


def _strategy(value: Any) -> st.SearchStrategy[Any]:
    return value if isinstance(value, st.SearchStrategy) else st.just(value)


def arrays(shape: Any, *, distinct: bool = False) -> st.SearchStrategy[Any]:
    """Draw an array of a shape: odd multiples of 1/16 between -4 and 4, or distinct ones."""
    odd = st.integers(-32, 31).map(lambda k: (2 * k + 1) / 16)
    if distinct:
        odd = st.integers(-512, 511).map(lambda k: (2 * k + 1) / 16)
    # Without a fill value every entry is drawn: equal entries hide mistakes.
    return arrays_of.arrays(np.float64, shape, elements=odd, fill=st.nothing(), unique=distinct)


@st.composite
def inputs(draw: Any, *pattern: Any, distinct: bool = False) -> Any:
    """Draw an array by a pattern of sizes: numbers stay, each name is one drawn size, 1 to 5.

    Example
    -------
    >>> from hypothesis import find
    >>> find(inputs("N", 2), lambda x: True).shape
    (1, 2)
    """
    drawn: dict[str, int] = {}
    shape = tuple(
        drawn.setdefault(size, draw(sizes())) if isinstance(size, str) else size for size in pattern
    )
    return draw(arrays(shape, distinct=distinct))


@st.composite
def tables(draw: Any, *pattern: Any, smallest: int = 1, largest: int = 4) -> Any:
    """Draw a list of arrays of one pattern, of drawn length."""
    first: Any = draw(inputs(*pattern))
    length = draw(st.integers(smallest, largest))
    return [first, *(draw(arrays(first.shape)) for _ in range(length - 1))]
