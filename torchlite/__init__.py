"""torchlite: Torch7's nn in Python on NumPy.

Every layer says, in explicit batched matrix maths, how its output, the gradient of its input and
the gradients of its parameters are computed. There is no tape: gradients come from these lines
alone.

>>> import numpy as np
>>> import torchlite as nn
>>> net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
>>> net.forward(np.ones((5, 3))).shape
(5, 1)
"""

import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

# Of `python -m torchlite` the current folder is the first in which imports look: NumPy would take
# a random.py there for Python's. As the last it hides nothing.
if (
    _is_run := sys.argv[:1] == ["-m"]
    and sys.orig_argv[-len(sys.argv)].removeprefix("-m") == __name__
) and not sys.flags.safe_path:
    sys.path.append(sys.path.pop(0))
# Most of the time of a short command goes into the imports from here on. An exception in the midst
# of them would show NumPy's lines, or be taken for a NumPy that is broken: Ctrl-C ends the command
# line at once, until it runs a command. Its script is the one beside this Python: a program of
# somebody's that is called so, or that has this one's arguments, ends as it likes.
if _is_run or (
    os.path.abspath("".join(sys.argv[:1])).removesuffix(".exe")
    == os.path.join(os.path.dirname(sys.executable), __name__)
    and sys.orig_argv[-len(sys.argv) :] == sys.argv
):
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))

from torchlite import nn as nn
from torchlite.elsewhere import absent
from torchlite.kernels.threads import threads as threads
from torchlite.random import manualSeed as manualSeed

__version__ = "0.1.0"

# Loaded when first named: most programs need few of them.
_PARTS = frozenset(
    {
        "datasets",
        "distributed",
        "errors",
        "interop",
        "kernels",
        "optim",
        "play",
        "progress",
        "random",
        "serial",
        "stepping",
        "testing",
    }
)

if TYPE_CHECKING:
    from torchlite import datasets as datasets
    from torchlite import distributed as distributed
    from torchlite import errors as errors
    from torchlite import interop as interop
    from torchlite import kernels as kernels
    from torchlite import optim as optim
    from torchlite import play as play
    from torchlite import progress as progress
    from torchlite import random as random
    from torchlite import serial as serial
    from torchlite import stepping as stepping
    from torchlite import testing as testing
    from torchlite.nn import *  # noqa: F403
    from torchlite.nn import graph as graph
    from torchlite.nn import hessian as hessian
    from torchlite.nn import init as init
    from torchlite.nn import recurrent as recurrent
    from torchlite.nn import tables as tables
    from torchlite.nn import utils as utils
else:
    from torchlite.nn import __all__

    def __getattr__(name: str) -> Any:
        if name in _PARTS:
            return importlib.import_module(f"torchlite.{name}")
        if name in __all__ or name in nn._PARTS:
            return getattr(nn, name)
        raise absent(__name__, name, __all__)


def __dir__() -> list[str]:
    return sorted({*_PARTS, *dir(nn), "__version__", "manualSeed", "nn", "threads"})
