"""Torch7's optimizers: functions that improve an array of parameters step by step.

All are called alike::

    x, fs = optim.sgd(opfunc, x, config, state)

opfunc
    A function: given x it returns the pair f(x), df/dx. f is what is to be made small, a number;
    df/dx is an array like x, which no optimizer writes to. It is called before the method returns,
    never later: defined in a loop, it may use the loop's batch.
x
    A float32 or float64 array of any shape, normally the flat parameters from
    `net.getParameters()`. It is updated in place, and returned. (`cmaes` and `de` return a new
    array.)
config
    A dict of settings; what is absent or None has its default. A key that the method does not know
    raises, unless it belongs to the state or starts with an underscore.
state
    A dict, at first empty, where the method keeps what it needs from one call to the next: plain
    arrays and numbers, so it can be saved, copied and continued from. Without one, config holds
    the state, too. A config written out inside the loop would be a new one, without memory, in
    every turn.
fs
    The list of the f(x) that opfunc returned; for methods of one evaluation a call it has one
    entry, from before the update. `asgd`, `cg`, `lbfgs` and `cmaes` return a third result:
    `x, fs, *_ = method(...)` takes them all.

Everything is checked before anything is changed:

DTypeError
    config or state is no dict, a setting has the wrong type, x or df/dx is no array or not of the
    dtype it must have, or opfunc does not return a pair.
ShapeError
    df/dx, learningRates or weightDecays has not the shape of x.
StateError
    The state was made for another x.
SettingError
    An unknown key, a setting out of range, settings that contradict each other, a read-only x.

>>> import numpy as np
>>> import torchlite as nn
>>> from torchlite import optim
>>> x, y = np.array([[1.0], [2.0]]), np.array([[3.0], [5.0]])
>>> net, criterion = nn.Linear(1, 1), nn.MSECriterion()
>>> parameters, gradParameters = net.getParameters()
>>> parameters[:] = 0
>>> def opfunc(_):
...     gradParameters.fill(0)
...     loss = criterion.forward(net.forward(x), y)
...     net.backward(x, criterion.backward(net.output, y))
...     return loss, gradParameters
>>> config = {"learningRate": 0.1}
>>> for _ in range(1000):
...     parameters, (loss,) = optim.adam(opfunc, parameters, config)
>>> net.weight.round(3), net.bias.round(3)
(array([[2.]]), array([1.]))
"""

from typing import TYPE_CHECKING, NoReturn

from torchlite.elsewhere import absent
from torchlite.optim.adadelta import adadelta
from torchlite.optim.adagrad import adagrad
from torchlite.optim.adam import adam
from torchlite.optim.adamax import adamax
from torchlite.optim.asgd import asgd
from torchlite.optim.cg import cg
from torchlite.optim.checkgrad import checkgrad
from torchlite.optim.clipping import clip_by_norm, clip_by_value
from torchlite.optim.cmaes import cmaes
from torchlite.optim.confusion_matrix import ConfusionMatrix
from torchlite.optim.de import de
from torchlite.optim.fista import FistaLS
from torchlite.optim.lbfgs import lbfgs
from torchlite.optim.logger import Logger
from torchlite.optim.lswolfe import lswolfe
from torchlite.optim.nag import nag
from torchlite.optim.per_parameter import per_parameter
from torchlite.optim.polyinterp import polyinterp
from torchlite.optim.rmsprop import rmsprop
from torchlite.optim.rprop import rprop
from torchlite.optim.sgd import sgd

__all__ = [
    "ConfusionMatrix",
    "FistaLS",
    "Logger",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "asgd",
    "cg",
    "checkgrad",
    "clip_by_norm",
    "clip_by_value",
    "cmaes",
    "de",
    "lbfgs",
    "lswolfe",
    "nag",
    "per_parameter",
    "polyinterp",
    "rmsprop",
    "rprop",
    "sgd",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> NoReturn:
        raise absent(__name__, name, __all__)
