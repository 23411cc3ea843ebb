"""The handwritten digits."""

from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from torchlite.errors import DTypeError

__all__ = ["Split", "digits"]


class Split(NamedTuple):
    """Data in two parts, one to train on and one to test on: inputs `x` and targets `y`."""

    x_train: NDArray[np.floating[Any]]
    y_train: NDArray[np.int64]
    x_test: NDArray[np.floating[Any]]
    y_test: NDArray[np.int64]


def digits(dtype: DTypeLike = np.float64) -> Split:
    """1,797 handwritten digits, 1,437 to train on and 360 to test on.

    An image is 8 by 8 pixels in a row of 64, each a multiple of 1/16 from 0 (paper) to 1 (ink);
    its label is the digit, 0 to 9. Every fifth image, from the first on, is a test image.

    Parameters
    ----------
    dtype
        The images' dtype, float64 or float32. Labels are int64.

    Returns
    -------
    Split
        `(x_train, y_train, x_test, y_test)`, fresh arrays at every call.

    Raises
    ------
    DTypeError
        dtype is neither float64 nor float32.

    Example
    -------
    >>> x_train, y_train, x_test, y_test = digits()
    >>> x_train.shape, x_test.shape
    ((1437, 64), (360, 64))
    >>> y_test[0]
    np.int64(0)
    >>> for row in x_test[0].reshape(8, 8):
    ...     print("".join(".-+*#"[int(4 * pixel)] for pixel in row))
    ..-*+...
    ..**+*-.
    ..*..++.
    .-*..++.
    .-+..++.
    .-+..*-.
    ..*-+*..
    ..-*+...

    Reference
    ---------
    E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning
    Repository, 1998, https://doi.org/10.24432/C50P49, licensed CC BY 4.0: its test set (13 writers,
    none of them in its training set), as scikit-learn's `load_digits` distributes it.
    """
    wanted = np.dtype(dtype)
    if wanted not in (np.float64, np.float32):
        expected, got = "float64 or float32", str(wanted)
        raise DTypeError(
            f"digits: dtype must be {expected}, got {got}",
            method="digits",
            argument="dtype",
            expected=expected,
            got=got,
        )
    path = files("torchlite.datasets") / "digits.npz"
    with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
        images = stored["images"].astype(wanted) / 16
        labels = stored["labels"].astype(np.int64)
    test = np.arange(len(labels)) % 5 == 0
    return Split(images[~test], labels[~test], images[test], labels[test])
