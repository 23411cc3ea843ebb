"""First parameters by rules of their own: xavier, kaiming, orthogonal ...

Every function writes into one parameter of one layer, in place, so that what is shared or flattened
stays so, and returns the layer. The parameter is a name, or a view of an array that the layer
trains::

    net.add(init.kaiming(nn.Linear(8, 4), gain="relu"))
    init.constant(net[0], "bias", 0)
    init.uniform(net[0], net[0].weight[:2], -1, 1)

`each` does it to all layers of a class::

    net.apply(init.each(nn.Linear, init.kaiming, gain="relu"))

Random numbers come from `torchlite.random`, drawn in C order in the parameter's precision
(orthogonal and truncated distributions draw doubles, and round in the end); whatever is refused is
refused before anything is drawn or written.

Reference
---------
K. Arulkumaran, nninit (https://github.com/Kaixhin/nninit), whose names these are.
"""

import math
from collections.abc import Callable
from math import prod
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import numpy as np

from torchlite import random
from torchlite.elsewhere import absent
from torchlite.errors import DTypeError, SettingError, ShapeError, fault
from torchlite.kernels.arrays import Array
from torchlite.kernels.blas import product
from torchlite.kernels.like import like
from torchlite.kernels.views import lattice
from torchlite.nn import checks
from torchlite.nn.initial import drawn
from torchlite.nn.module import Module
from torchlite.nn.nested import is_array, shapes
from torchlite.nn.tree import rows

__all__ = [
    "addConstant",
    "addNormal",
    "addUniform",
    "constant",
    "each",
    "eye",
    "fans",
    "gain",
    "kaiming",
    "mulConstant",
    "normal",
    "orthogonal",
    "sparse",
    "truncated_normal",
    "uniform",
    "xavier",
]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> NoReturn:
        raise absent(__name__, name, __all__)


_Layer = TypeVar("_Layer", bound=Module)

# How many deviations a truncated normal distribution reaches to each side, and what the cut leaves
# of its own deviation.
_REACH = 2.0
_LEFT = math.sqrt(1 - 2 * _REACH * NormalDist().pdf(_REACH) / (2 * NormalDist().cdf(_REACH) - 1))


# ---------------------------------------------------------------- plain numbers


def constant(module: _Layer, parameter: Any, value: float) -> _Layer:
    """Set every entry to value.

    Example
    -------
    >>> from torchlite import nn
    >>> nn.init.constant(nn.Linear(3, 2), "bias", 0).bias
    array([0., 0.])
    """
    array, _ = _parameter("constant", module, parameter)
    array[...] = _number("constant", "value", value)
    return module


def addConstant(module: _Layer, parameter: Any, value: float) -> _Layer:
    """Add value to every entry."""
    array, _ = _parameter("addConstant", module, parameter)
    array += _number("addConstant", "value", value)
    return module


def mulConstant(module: _Layer, parameter: Any, value: float) -> _Layer:
    """Multiply every entry by value."""
    array, _ = _parameter("mulConstant", module, parameter)
    array *= _number("mulConstant", "value", value)
    return module


def uniform(module: _Layer, parameter: Any, a: float, b: float) -> _Layer:
    """Draw every entry from U(a, b).

    Example
    -------
    >>> from torchlite import nn, random
    >>> random.manualSeed(123)
    >>> nn.init.uniform(nn.Linear(2, 1, False), "weight", -0.5, 0.5).weight.round(4)
    array([[-0.2139, -0.0715]])
    """
    array, _ = _parameter("uniform", module, parameter)
    array[...] = _uniform("uniform", array, a, b)
    return module


def addUniform(module: _Layer, parameter: Any, a: float, b: float) -> _Layer:
    """Add a number drawn from U(a, b) to every entry."""
    array, _ = _parameter("addUniform", module, parameter)
    array += _uniform("addUniform", array, a, b)
    return module


def normal(module: _Layer, parameter: Any, mean: float, stdv: float) -> _Layer:
    """Draw every entry from the normal distribution."""
    array, _ = _parameter("normal", module, parameter)
    array[...] = _normal("normal", random.normal, array, mean, stdv)
    return module


def addNormal(module: _Layer, parameter: Any, mean: float, stdv: float) -> _Layer:
    """Add a number drawn from the normal distribution to every entry."""
    array, _ = _parameter("addNormal", module, parameter)
    array += _normal("addNormal", random.normal, array, mean, stdv)
    return module


def truncated_normal(module: _Layer, parameter: Any, mean: float, stdv: float) -> _Layer:
    """Draw every entry from the normal distribution without what is beyond two deviations.

    The deviation of what is left is 0.88 of stdv.

    Maths: `mean + stdv * F**-1(F(-2) + u * (F(2) - F(-2)))`, where F is the standard normal
    distribution. One word each.
    """
    array, _ = _parameter("truncated_normal", module, parameter)
    array[...] = _normal("truncated_normal", _truncated, array, mean, stdv)
    return module


# ---------------------------------------------------------------- by what goes in and out


def xavier(
    module: _Layer,
    parameter: Any = "weight",
    gain: float | str = 1,
    dist: str = "uniform",
) -> _Layer:
    """Draw every entry so that outputs, and gradients, vary about as much as inputs.

    Maths: the standard deviation is `gain * sqrt(2 / (fan_in + fan_out))`; see `fans`.

    Parameters
    ----------
    module, parameter
        A layer, and the name of what it trains or a view of it.
    gain
        A number, or the name of the function that follows: see `gain`.
    dist
        'uniform', 'normal', or 'truncated': a normal distribution without what is beyond two of
        its deviations, widened so that the deviation is as said.

    Raises
    ------
    ShapeError
        The parameter has no fan in and fan out.
    SettingError, DTypeError
        There is no such parameter, gain or dist.

    Example
    -------
    >>> from torchlite import nn, random
    >>> random.manualSeed(123)
    >>> nn.init.xavier(nn.Linear(4, 2)).weight.round(3)
    array([[-0.154,  0.56 ,  0.962, -0.178],
           [ 0.37 ,  0.159, -0.038, -0.72 ]])

    Reference
    ---------
    Glorot and Bengio: Understanding the difficulty of training deep feedforward neural networks,
    2010.
    """
    array, whole = _parameter("xavier", module, parameter)
    fan_in, fan_out = _fans("xavier", module, whole)
    return _spread("xavier", module, array, gain, (fan_in + fan_out) / 2, dist)


def kaiming(
    module: _Layer,
    parameter: Any = "weight",
    gain: float | str = 1,
    dist: str = "normal",
    fan: str = "in",
) -> _Layer:
    """Draw every entry so that outputs vary about as much as inputs.

    Maths: the standard deviation is `gain / sqrt(fan_in)`; see `fans`.

    Parameters
    ----------
    module, parameter, gain, dist
        As for `xavier`. Before ReLU a gain of 'relu' makes up for the half that it takes away.
    fan
        'in', or 'out': then it is the gradients that vary about as much, and fan_out counts.

    Raises
    ------
    ShapeError
        The parameter has no fan in and fan out.
    SettingError, DTypeError
        There is no such parameter, gain, dist or fan.

    Example
    -------
    >>> from torchlite import nn, random
    >>> layers = [nn.Linear(100, 400, False), nn.ReLU(), nn.Linear(400, 400, False), nn.ReLU()]
    >>> net = nn.Sequential(*layers)
    >>> random.manualSeed(4)
    >>> _ = net.apply(nn.init.each(nn.Linear, nn.init.kaiming, gain="relu"))
    >>> x = random.normal(size=(50, 100))
    >>> round(float((net.forward(x) ** 2).mean()), 1)
    1.0

    Reference
    ---------
    He, Zhang, Ren and Sun: Delving deep into rectifiers, 2015.
    """
    if fan not in ("in", "out"):
        raise fault(SettingError, "nn.init.kaiming", "fan", "'in' or 'out'", repr(fan))
    array, whole = _parameter("kaiming", module, parameter)
    number = _fans("kaiming", module, whole)[fan == "out"]
    return _spread("kaiming", module, array, gain, number, dist)


def gain(nonlinearity: str, leakiness: float = 0.01) -> float:
    """Return by how much weights must be larger for the function that follows them.

    'linear' and 'sigmoid': 1; 'tanh': 5 / 3; 'relu': sqrt(2); 'lrelu', which is LeakyReLU:
    sqrt(2 / (1 + leakiness**2)).

    Example
    -------
    >>> from torchlite import nn
    >>> layer = nn.init.kaiming(nn.Linear(4, 2), gain=nn.init.gain("lrelu", leakiness=0.3))
    >>> nn.init.gain("lrelu", leakiness=1)
    1.0
    """
    return _gain("gain", "nonlinearity", nonlinearity, leakiness)


def fans(module: Module, parameter: Any = "weight") -> tuple[float, float]:
    """Return how many numbers come together in one by a parameter, and to how many one goes.

    Of a weight (out, in, ...) that is `in` and `out`, times whatever comes behind: so for Linear,
    LookupTable, and layers of users. All convolutions, full ones too, have the window's size times
    the input planes that an output plane is made of, and the window's size times the output planes
    that an input plane goes to: with a table of connections, on average. Sub-samplings have the
    window's size both ways. For a bias the weight counts. Other parameters of less than two
    dimensions, as BatchNormalization's, have no fans.

    Example
    -------
    >>> from torchlite import nn
    >>> layer = nn.SpatialConvolution(3, 16, 5, 5)
    >>> nn.init.fans(layer, "weight")
    (75, 400)
    """
    return _fans("fans", module, _parameter("fans", module, parameter)[1])


def _fans(function: str, module: Module, array: Array) -> tuple[float, float]:
    own: Any = getattr(module, "_fans", None)
    if own is not None:
        found: tuple[float, float] = own()
        return found
    weight = module.weight if array is module.bias and is_array(module.weight) else array
    if weight.ndim < 2:
        hint = "nn.init.constant, uniform and normal take any parameter"
        expected = "of two dimensions or more, to have fans"
        raise _misshapen(function, module, expected, weight, hint)
    planes, made_of, *window = weight.shape
    return made_of * prod(window), planes * prod(window)


# ---------------------------------------------------------------- other structures


def orthogonal(module: _Layer, parameter: Any = "weight", gain: float | str = 1) -> _Layer:
    """Draw a matrix that turns and mirrors: its rows (or columns) stand at right angles.

    The first dimension of the parameter counts as rows, all others together as columns. The fewer
    of the two are orthogonal to each other, of length gain; all such matrices are equally likely.

    Maths: with numbers from the normal distribution, `u, s, v = np.linalg.svd(numbers)` gives
    `gain * u @ v`. (The last digit depends on LAPACK.)

    Raises
    ------
    ShapeError
        The parameter has less than two dimensions.

    Example
    -------
    >>> from torchlite import nn
    >>> weight = nn.init.orthogonal(nn.Linear(4, 2)).weight
    >>> (weight @ weight.T).round(6) + 0
    array([[1., 0.],
           [0., 1.]])

    Reference
    ---------
    Saxe, McClelland and Ganguli: Exact solutions to the nonlinear dynamics of learning in deep
    linear neural networks, 2013.
    """
    array, _ = _parameter("orthogonal", module, parameter)
    if array.ndim < 2:
        raise _misshapen("orthogonal", module, "of two dimensions or more", array)
    factor = _gain("orthogonal", "gain", gain)
    numbers = random.normal(size=(len(array), prod(array.shape[1:])))
    u, _, v = np.linalg.svd(numbers, full_matrices=False)
    array[...] = like(factor * product(u, v).reshape(array.shape), array)
    return module


def sparse(module: _Layer, parameter: Any, sparsity: float) -> _Layer:
    """Set a share of the entries to zero, chosen at random; the others stay as they are.

    Maths: `floor(sparsity * size)` entries, the first of a permutation (`random.randperm`).

    Raises
    ------
    SettingError
        sparsity is not between 0 and 1.

    Reference
    ---------
    Martens: Deep learning via Hessian-free optimization, 2010.
    """
    array, _ = _parameter("sparse", module, parameter)
    share = _number("sparse", "sparsity", sparsity)
    if not 0 <= share <= 1:
        raise fault(SettingError, "nn.init.sparse", "sparsity", "between 0 and 1", repr(sparsity))
    if array.size:
        zeros = random.randperm(array.size)[: int(share * array.size)]
        array[tuple(like(at, array) for at in np.unravel_index(zeros, array.shape))] = 0
    return module


def eye(module: _Layer, parameter: Any = "weight") -> _Layer:
    """Let the layer hand on what comes in.

    A matrix becomes the identity. Of a convolution the middle of each window counts alone (of an
    even size, the entry before the middle), so that each output plane is the mean of the input
    planes that it is made of.

    Raises
    ------
    ShapeError
        The parameter is no matrix, and the layer no convolution.

    Example
    -------
    >>> import numpy as np
    >>> from torchlite import nn
    >>> layer = nn.init.eye(nn.SpatialConvolution(2, 1, 3, 3, 1, 1, 1, 1).noBias())
    >>> layer.forward(np.array([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]))
    array([[[3., 4.],
            [5., 6.]]])
    """
    array, _ = _parameter("eye", module, parameter)
    own = getattr(module, "_identity", None) if array is module.weight else None
    if own is None and array.ndim != 2:
        raise _misshapen("eye", module, "a matrix, or the weight of a convolution", array)
    array[...] = like(np.eye(*array.shape) if own is None else own(), array)
    return module


# ---------------------------------------------------------------- many layers


def each(
    kinds: type[Module] | tuple[type[Module], ...],
    initialiser: Callable[..., Any],
    *arguments: Any,
    **options: Any,
) -> Callable[[Module], None]:
    """Return a function for `net.apply`: it initialises the layers of these classes.

    Layers that have been switched off a bias are left alone. A layer that is refused raises; those
    before it have been initialised.

    Example
    -------
    >>> from torchlite import nn
    >>> net = nn.Sequential(nn.Linear(3, 2), nn.ReLU(), nn.Linear(2, 1, False))
    >>> _ = net.apply(nn.init.each(nn.Linear, nn.init.xavier, dist="normal"))
    >>> _ = net.apply(nn.init.each(nn.Linear, nn.init.constant, "bias", 0.5))
    >>> net[0].bias
    array([0.5, 0.5])
    """
    for kind in kinds if isinstance(kinds, tuple) else (kinds,):
        if not (isinstance(kind, type) and issubclass(kind, Module)):
            expected = "a class of modules, or a tuple of such"
            raise fault(DTypeError, "nn.init.each", "kinds", expected, repr(kind))
    if not callable(initialiser):
        expected, got = "a function of nn.init", repr(initialiser)
        raise fault(DTypeError, "nn.init.each", "initialiser", expected, got)
    name = arguments[0] if arguments else options.get("parameter", "weight")

    def initialise(module: Module) -> None:
        absent = isinstance(name, str) and getattr(module, name, module) is None
        if isinstance(module, kinds) and not absent:
            initialiser(module, *arguments, **options)

    return initialise


# ---------------------------------------------------------------- arguments


def _parameter(function: str, module: Any, parameter: Any) -> tuple[Array, Array]:
    """Return the array that is meant, and what of the module's own parameters it is a part of."""
    where = f"nn.init.{function}"
    if not isinstance(module, Module):
        hint = f"{where}(layer, 'weight', ...)" if is_array(module) else None
        got = f"an array {shapes(module)}" if is_array(module) else type(module).__name__
        raise fault(DTypeError, where, "module", "a Module", got, hint=hint)
    own = {row.name: row.parameter for row in rows(module) if row.place.outer is None}
    if is_array(parameter):
        for array in own.values():
            near = parameter.dtype == array.dtype and np.may_share_memory(parameter, array)
            if near and lattice(array, parameter) is not None:
                return parameter, array
        got = f"an array {shapes(parameter)} that is no view of one"
    elif isinstance(parameter, str) and parameter in own:
        return own[parameter], own[parameter]
    else:
        got = repr(parameter)
    names = ", ".join(own) or "it has none of its own"
    expected = f"the name or a view of a parameter of {checks.title(module)} ({names})"
    unclear = module.modules and not own
    hint = f"net.apply(nn.init.each(nn.Linear, {where}, ...))" if unclear else None
    raise fault(SettingError, where, "parameter", expected, got, layer=module, hint=hint)


def _number(function: str, argument: str, value: Any) -> float:
    real = isinstance(value, (int, float, np.floating, np.integer)) and not isinstance(value, bool)
    if not real:
        raise fault(DTypeError, f"nn.init.{function}", argument, "a number", repr(value))
    if not math.isfinite(value):
        raise fault(SettingError, f"nn.init.{function}", argument, "finite", repr(value))
    return float(value)


def _positive(function: str, argument: str, value: Any) -> float:
    number = _number(function, argument, value)
    if not number > 0:
        raise fault(SettingError, f"nn.init.{function}", argument, "positive", repr(value))
    return number


def _misshapen(
    function: str, module: Module, expected: str, array: Array, hint: str | None = None
) -> ShapeError:
    where, got = f"nn.init.{function}", f"{shapes(array)} of {checks.title(module)}"
    return fault(ShapeError, where, "parameter", expected, got, layer=module, hint=hint)


def _gain(function: str, argument: str, value: Any, leakiness: float = 0.01) -> float:
    leak = _number(function, "leakiness", leakiness)
    known = {
        "linear": 1.0,
        "sigmoid": 1.0,
        "tanh": 5 / 3,
        "relu": math.sqrt(2),
        "lrelu": math.sqrt(2 / (1 + leak**2)),
    }
    if not isinstance(value, str):
        return _positive(function, argument, value)
    if value not in known:
        expected = "one of " + ", ".join(map(repr, known))
        raise fault(SettingError, f"nn.init.{function}", argument, expected, repr(value))
    return known[value]


def _uniform(function: str, array: Array, a: Any, b: Any) -> Array:
    low, high = _number(function, "a", a), _number(function, "b", b)
    if high < low:
        raise fault(SettingError, f"nn.init.{function}", "b", f"at least a = {a}", str(b))
    return drawn(random.uniform, array, low, high)


def _normal(function: str, distribution: Any, array: Array, mean: Any, stdv: Any) -> Array:
    center, width = _number(function, "mean", mean), _positive(function, "stdv", stdv)
    return drawn(distribution, array, center, width)


def _spread(
    function: str, module: _Layer, array: Array, gain: Any, fan: float, dist: str
) -> _Layer:
    """Draw so that the standard deviation is gain / sqrt(fan)."""
    stdv = _gain(function, "gain", gain) / math.sqrt(fan or 1)
    if dist == "uniform":
        bound = stdv * math.sqrt(3)
        array[...] = drawn(random.uniform, array, -bound, bound)
    elif dist == "normal":
        array[...] = drawn(random.normal, array, 0, stdv)
    elif dist == "truncated":
        array[...] = drawn(_truncated, array, 0, stdv / _LEFT)
    else:
        expected = "'uniform', 'normal' or 'truncated'"
        raise fault(SettingError, f"nn.init.{function}", "dist", expected, repr(dist))
    return module


def _truncated(mean: float, stdv: float, out: Array) -> Array:
    """Fill out with what truncated_normal draws."""
    below = NormalDist().cdf(-_REACH)
    shares = random.uniform(below, 1 - below, size=out.size)
    points = np.fromiter(map(NormalDist().inv_cdf, shares.tolist()), np.float64, out.size)
    out[...] = (mean + stdv * points).reshape(out.shape)
    return out
