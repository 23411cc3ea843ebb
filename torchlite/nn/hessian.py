"""The diagonal of the Hessian, roughly: by how much each number bends the loss.

A backward of second derivatives. What is wanted of each layer is d2L/dinput**2 from
d2L/doutput**2, entry by entry: how the entries bend the loss together is left out, and so is how a
layer itself bends. What is left is never negative, and costs as much as a backward.

Maths
-----
With h standing for d2L/doutput**2, of an output = input @ weight.T + bias::

    diagHessianInput = h @ weight**2
    diagHessianWeight += scale * h.T @ input**2
    diagHessianBias += scale * h.sum(0)

Convolutions are sums of the same kind: their own updateGradInput with weight**2, their own
accGradParameters with input**2. Of a function f of each entry::

    diagHessianInput = f'(input)**2 * h

and a criterion begins: 2 / n for MSECriterion and WeightedMSECriterion, or 2 where it does not
average; 1 for L1Cost (which in truth does not bend), 0 where its input is 0.

What a Linear or a convolution gets that stands right before MSECriterion is exact, and so are the
parameters of a Linear before that: then nothing is left out.

Conventions
-----------
Classes of Torch7's `nn.hessian` are known: Sequential, Linear, Reshape, Tanh, TanhShrink, Square,
Sqrt, SpatialConvolution, SpatialConvolutionLocal, SpatialConvolutionMap, SpatialFullConvolution and
SpatialFullConvolutionMap, MSECriterion, WeightedMSECriterion and L1Cost, and what inherits from
them, but LinearWeightNorm, whose weight is no parameter. Of other classes,
`updateDiagHessianInput.register` and its kin take in functions, as those of every
functools.singledispatch do.

Example
-------
A step for each number, the longer the less it bends the loss. One of these inputs is a thousand
times the other: no learning rate suits both. As the two do not go together, one step is enough:

>>> import numpy as np
>>> from torchlite import nn
>>> from torchlite.nn import hessian
>>> net, criterion = nn.Sequential(nn.Linear(2, 1, False)), nn.MSECriterion()
>>> parameters, gradParameters = net.getParameters()
>>> parameters[:] = 0
>>> x, y = np.array([[100.0, 0.1], [100.0, -0.1]]), np.array([[5.0], [3.0]])
>>> criterion.forward(net.forward(x), y)
17.0
>>> hessian.initDiagHessianParameters(net)
>>> hessian.accDiagHessianParameters(
...     net, x, hessian.updateDiagHessianInput(criterion, net.output, y)
... )
>>> net[0].diagHessianWeight
array([[2.e+04, 2.e-02]])
>>> curvature = np.empty_like(parameters)
>>> for row in net.located_parameters():
...     held = getattr(row.place.module, f"diagHessian{row.name.capitalize()}")
...     curvature[row.entries] = held.ravel()
>>> _ = net.backward(x, criterion.backward(net.output, y))
>>> parameters -= gradParameters / curvature
>>> round(criterion.forward(net.forward(x), y), 9)
0.0

Reference
---------
Torch7, nn/hessian.lua. Becker and LeCun: Improving the convergence of back-propagation learning
with second order methods, 1988.
"""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from functools import singledispatch
from typing import Any

import numpy as np

from torchlite.errors import DTypeError, ShapeError, unhinted
from torchlite.kernels.arrays import Array, Number
from torchlite.nn import checks
from torchlite.nn.container import locate
from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.convolution.spatial_convolution import SpatialConvolution
from torchlite.nn.convolution.spatial_convolution_local import SpatialConvolutionLocal
from torchlite.nn.convolution.spatial_convolution_map import SpatialConvolutionMap
from torchlite.nn.convolution.spatial_full_convolution import SpatialFullConvolution
from torchlite.nn.convolution.spatial_full_convolution_map import SpatialFullConvolutionMap
from torchlite.nn.criterions.l1_cost import L1Cost
from torchlite.nn.criterions.mse_criterion import MSECriterion
from torchlite.nn.nested import map_arrays
from torchlite.nn.simple.linear import Linear
from torchlite.nn.simple.linear_weight_norm import LinearWeightNorm
from torchlite.nn.simple.reshape import Reshape
from torchlite.nn.transfer.sqrt import Sqrt
from torchlite.nn.transfer.square import Square
from torchlite.nn.transfer.tanh import Tanh
from torchlite.nn.transfer.tanh_shrink import TanhShrink

__all__ = ["accDiagHessianParameters", "initDiagHessianParameters", "updateDiagHessianInput"]

# Layers whose output is a sum of products of weights and inputs.
_SUMS: tuple[type, ...] = (
    Linear,
    SpatialConvolution,
    SpatialConvolutionLocal,
    SpatialConvolutionMap,
    SpatialFullConvolution,
    SpatialFullConvolutionMap,
)


# ---------------------------------------------------------------- before the first


@singledispatch
def initDiagHessianParameters(module: Any) -> None:
    """Set `diagHessianWeight` and `diagHessianBias` to zero; make them where there are none.

    Raises
    ------
    NotImplementedError
        A layer is of no known class. Nothing has changed then.
    """
    _must_need_no_rule(module, "initDiagHessianParameters")


def _init_sums(module: Any) -> None:
    for array in _diagonals(module).values():
        array.fill(0)


for _kind in _SUMS:
    initDiagHessianParameters.register(_kind, _init_sums)


@initDiagHessianParameters.register
def _(module: Sequential) -> None:
    unknown = initDiagHessianParameters.dispatch(object)
    layers = list(_layers(module))
    # Those that raise come first.
    for layer in sorted(
        layers, key=lambda part: initDiagHessianParameters.dispatch(type(part)) is not unknown
    ):
        initDiagHessianParameters(layer)


def _layers(module: Any) -> Iterator[Any]:
    if isinstance(module, Sequential):
        for part in module.modules:
            yield from _layers(part)
    else:
        yield module


# ---------------------------------------------------------------- back to the input


@singledispatch
def updateDiagHessianInput(module: Any, input: Any, diagHessianOutput: Any) -> Any:
    """Compute d2L/dinput**2, keep it in `module.diagHessianInput` and return it.

    Of a criterion the arguments are (criterion, input, target). A Sequential goes back the path of
    its last forward, which must have been one of this input.

    Raises
    ------
    NotImplementedError
        The module, or one in it, is of no known class.
    ShapeError, DTypeError
        An argument does not fit.
    StateError
        A Sequential remembers another forward.
    """
    raise _undefined(module, "updateDiagHessianInput")


def _update_sums(module: Any, input: Any, diagHessianOutput: Any) -> Any:
    twin = _twin(module, weight=module.weight**2)
    with _in_the_words_of(module, "updateDiagHessianInput"):
        module.diagHessianInput = twin.updateGradInput(input, diagHessianOutput)
    return module.diagHessianInput


for _kind in _SUMS:
    updateDiagHessianInput.register(_kind, _update_sums)


def _update_pointwise(module: Any, input: Any, diagHessianOutput: Any) -> Any:
    twin = _twin(module)
    with _in_the_words_of(module, "updateDiagHessianInput"):
        slope = twin.updateGradInput(input, np.ones_like(diagHessianOutput))
    module.diagHessianInput = slope**2 * diagHessianOutput
    return module.diagHessianInput


for _kind in (Tanh, TanhShrink, Square, Sqrt):
    updateDiagHessianInput.register(_kind, _update_pointwise)


@updateDiagHessianInput.register
def _(module: Reshape, input: Any, diagHessianOutput: Any) -> Any:
    with _in_the_words_of(module, "updateDiagHessianInput"):
        module.diagHessianInput = _twin(module).updateGradInput(input, diagHessianOutput)
    return module.diagHessianInput


@updateDiagHessianInput.register
def _(module: Sequential, input: Any, diagHessianOutput: Any) -> Any:
    for _ in _back_through(module, "updateDiagHessianInput", input, diagHessianOutput):
        pass
    return module.diagHessianInput


@updateDiagHessianInput.register
def _(criterion: MSECriterion, input: Any, target: Any) -> Any:
    return _bent(criterion, input, target, 2)


@updateDiagHessianInput.register
def _(criterion: L1Cost, input: Any, target: Any = None) -> Any:
    found = _bent(criterion, input, target, 1)
    found[input == 0] = 0
    return found


def _bent(criterion: Any, input: Any, target: Any, curvature: float) -> Any:
    """Return an array of the criterion's curvature, after checking the arguments."""
    with _in_the_words_of(criterion, "updateDiagHessianInput"):
        _twin(criterion).updateGradInput(input, target)
    n = (input.size or 1) if criterion.sizeAverage else 1
    criterion.diagHessianInput = np.full_like(input, curvature / n)
    return criterion.diagHessianInput


# ---------------------------------------------------------------- and to the parameters


@singledispatch
def accDiagHessianParameters(
    module: Any, input: Any, diagHessianOutput: Any, scale: Number = 1
) -> None:
    """Add `scale` times d2L/dweight**2 and d2L/dbias**2 to diagHessianWeight and diagHessianBias.

    Where there are none, they are made. A Sequential goes back the path of its last forward; what
    updateDiagHessianInput leaves behind it leaves, too.

    Raises
    ------
    NotImplementedError, ShapeError, DTypeError, StateError
        As updateDiagHessianInput. What has been accumulated is as it was then.
    """
    _must_need_no_rule(module, "accDiagHessianParameters")


def _acc_sums(module: Any, input: Any, diagHessianOutput: Any, scale: Number = 1) -> None:
    held = {f"grad{name}": array for name, array in _diagonals(module).items()}
    twin = _twin(module, **held)
    with _in_the_words_of(module, "accDiagHessianParameters"):
        twin.accGradParameters(
            map_arrays(lambda array: array * array, input), diagHessianOutput, scale
        )


for _kind in _SUMS:
    accDiagHessianParameters.register(_kind, _acc_sums)


@accDiagHessianParameters.register
def _(module: Sequential, input: Any, diagHessianOutput: Any, scale: Number = 1) -> None:
    method = "accDiagHessianParameters"
    scale = checks.scale(module, scale, method)
    calls = list(_back_through(module, method, input, diagHessianOutput))
    unknown = accDiagHessianParameters.dispatch(object)
    for layer, given, above in calls:
        if accDiagHessianParameters.dispatch(type(layer)) is unknown:
            accDiagHessianParameters(layer, given, above, scale)
    for layer, given, above in calls:
        accDiagHessianParameters(layer, given, above, scale)


# ---------------------------------------------------------------- no rule, but one inherited

for _rule in (initDiagHessianParameters, updateDiagHessianInput, accDiagHessianParameters):
    _rule.register(LinearWeightNorm, _rule.dispatch(object))


# ---------------------------------------------------------------- what they have in common


def _back_through(
    module: Sequential, method: str, input: Any, diagHessianOutput: Any
) -> Iterator[tuple[Any, Any, Any]]:
    """Go back through all layers; yield each with its input and its diagHessianOutput."""
    path = module._path_of(method, input)
    for position in reversed(range(len(module.modules))):
        part, given = module.modules[position], path[position]
        try:
            if isinstance(part, Sequential):
                yield from _back_through(part, method, given, diagHessianOutput)
                diagHessianOutput = part.diagHessianInput
            else:
                yield part, given, diagHessianOutput
                diagHessianOutput = updateDiagHessianInput(part, given, diagHessianOutput)
        except Exception as error:
            locate(error, module, position)
            raise
    module.diagHessianInput = diagHessianOutput


def _diagonals(module: Any) -> dict[str, Array]:
    """Return diagHessianWeight and diagHessianBias, as far as there are such parameters."""
    found = {}
    for name in ("Weight", "Bias"):
        gradient = getattr(module, f"grad{name}")
        if gradient is not None:
            held = getattr(module, f"diagHessian{name}", None)
            if held is None:
                held = np.zeros_like(gradient)
                setattr(module, f"diagHessian{name}", held)
            found[name] = held
    return found


def _twin(part: Any, **arrays: Array) -> Any:
    """Return a copy without results, which holds the same arrays but for those given."""
    twin = copy.copy(part)
    # Of a layer whose gradInput nobody needs, too.
    vars(twin).pop("gradInput", None)
    vars(twin).update(arrays)
    return twin


@contextmanager
def _in_the_words_of(part: Any, method: str) -> Iterator[None]:
    """Let errors speak of the part, the method and the argument that the user knows of."""
    try:
        yield
    except (ShapeError, DTypeError) as error:
        rest = unhinted(error).partition(": ")[2]
        argument = "diagHessianOutput" if error.argument == "gradOutput" else error.argument
        words = [f"{checks.title(part)}.{method}: {rest}", error.hint]
        text, hint = (word and word.replace("gradOutput", "diagHessianOutput") for word in words)
        raise type(error)(
            text or "",
            layer=part,
            method=method,
            argument=argument,
            expected=error.expected,
            got=error.got,
            hint=hint,
        ) from None


def _must_need_no_rule(module: Any, method: str) -> None:
    """Raise unless second derivatives pass through the module, and it has no parameters."""
    passes = updateDiagHessianInput.dispatch(type(module))
    if passes is updateDiagHessianInput.dispatch(object):
        raise _undefined(module, method, "updateDiagHessianInput")
    if module.parameters()[0]:
        raise _undefined(module, method)


def _undefined(part: Any, method: str, missing: str | None = None) -> NotImplementedError:
    name = type(part).__name__
    return NotImplementedError(
        f"{name}.{method} is undefined\n"
        f"  hint: nn.hessian.{missing or method}.register({name}) takes in a function for it"
    )
