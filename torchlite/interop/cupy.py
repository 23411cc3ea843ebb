"""CuPy: networks, data and optimizers' states on a GPU of NVIDIA's, and back."""

from collections.abc import Callable
from typing import Any

import numpy as np

from torchlite.errors import StateError
from torchlite.kernels.arrays import Array
from torchlite.kernels.like import host
from torchlite.nn.nested import map_arrays
from torchlite.nn.stateful import Stateful, arrays_in, move
from torchlite.nn.ties import copies

__all__ = ["cpu", "cuda"]


def cuda(value: Any) -> Any:
    """Return the value with its arrays on the GPU.

    Parameters
    ----------
    value
        A module or criterion, which is changed and returned, as by its method `cuda`; or an array,
        or lists, tuples and dicts of arrays (a batch, the state of an optimizer), of which copies
        are returned, lists of lists and tuples. What is no array stays as it is.

    Conventions
    -----------
    What is one array stays one, and views of one another stay views. What is on the GPU already
    stays the same array. The dtype stays.

    Raises
    ------
    ImportError
        CuPy is not installed.
    StateError
        It is, and finds no GPU.

    Example
    -------
    ::

        from torchlite.interop import cupy
        net, criterion = cupy.cuda(net), cupy.cuda(criterion)
        x, y = cupy.cuda([x, y])
        state = cupy.cuda(state)
    """
    try:
        import cupy
    except ImportError as error:
        raise ImportError(
            "cuda needs CuPy: pip install cupy-cuda12x, or cupy-cuda13x for CUDA 13"
        ) from error
    if not cupy.cuda.is_available():
        raise StateError(
            "cuda: CuPy finds no GPU",
            method="cuda",
            hint="nvidia-smi tells what is there; CuPy must be of the CUDA that is installed",
        )
    return _moved(value, lambda array: isinstance(array, np.ndarray), cupy.asarray)


def cpu(value: Any) -> Any:
    """Return the value with its arrays in NumPy's hands again: `cuda` the other way round.

    Example
    -------
    >>> cpu({"t": 3, "m": np.ones(2)})
    {'t': 3, 'm': array([1., 1.])}
    """
    return _moved(value, lambda array: not isinstance(array, np.ndarray), host)


def _moved(value: Any, leaves: Callable[[Array], bool], to: Callable[[Array], Array]) -> Any:
    if isinstance(value, Stateful):
        move(value, leaves, to)
        return value
    made = copies([array for _, array in arrays_in(value) if leaves(array)], to)
    return map_arrays(lambda entry: made.get(id(entry), entry), value)
