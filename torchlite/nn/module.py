"""Module: the contract that every layer keeps."""

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from itertools import pairwise
from typing import Any, NoReturn, Self

import numpy as np

from torchlite.errors import DTypeError, SettingError, ShapeError, StateError, fault
from torchlite.kernels import flat
from torchlite.kernels.blas import axpy
from torchlite.nn import checks
from torchlite.nn._stateful import Stateful, rebind
from torchlite.nn.checks import NUMBERS
from torchlite.nn.nested import shapes

__all__ = ["Module"]


class Module(Stateful):
    """A layer: a function of its input and its parameters that knows its own derivatives.

    A layer of your own is a subclass with `updateOutput` and `updateGradInput`, each of which
    sets `self.output` or `self.gradInput` to a fresh array and returns it, and, if it has
    parameters, `accGradParameters`, which adds to its gradients in place.

    Maths
    -----
    With L the number that is to be minimised and gradOutput = dL/doutput::

        output = f(input, weight, bias)             updateOutput
        gradInput = dL/dinput                       updateGradInput
        gradWeight += scale * dL/dweight            accGradParameters
        gradBias += scale * dL/dbias

    Attributes
    ----------
    output, gradInput
        The latest results. torchlite never writes to them again: keep them as long as you like.
        `gradInput = None` says that nobody needs it: `backward`, and a container of which this
        is the first child, then do without `updateGradInput`.
    weight, bias, gradWeight, gradBias
        Parameters and their gradients, None where there are none. Zeroing, accumulating and
        updating write into these arrays; only `getParameters`, `share` and `type` replace them.
    train
        True in training mode, False in evaluation mode; only some layers make a difference.
    modules
        The parts of a container, in order.

    Conventions
    -----------
    A layer that remembers nothing depends on the arguments alone: `updateGradInput(input, ...)`
    is right whatever was forwarded last. One that must remember its forward (dropout, every
    container) says so and raises StateError when `input` is not what it remembers, looking at
    the values only when it is another array.

    A call that raises has changed nothing. Of a container, no parameter and no gradient has
    changed, but the children that already ran keep their new output.

    That holds for whatever can be foreseen. What breaks off the arithmetic itself, when memory runs
    out or Ctrl-C comes, may leave a step half done. A layer makes all increments before it adds
    the first, so that running out of memory leaves a layer's gradients all old or all new; Ctrl-C
    may come between two of them, and a sum that np.seterr refuses is refused after it was added.
    A container broken off in `accGradParameters` puts all gradients
    back if one of its layers is not torchlite's or np.seterr makes NumPy raise; otherwise the
    layers that already ran keep what they added. `zeroGradParameters` and `updateParameters` broken
    off have done some of the arrays. Zero the gradients and repeat the step; where an update was
    broken off, go back to saved parameters, or accept a step that some layers did not take.

    `copy.deepcopy`, `pickle` and `clone` carry parameters, gradients and settings, never results.

    Example
    -------
    >>> import torchlite as nn
    >>> class Double(nn.Module):
    ...     def updateOutput(self, input):
    ...         self.output = 2 * input
    ...         return self.output
    ...     def updateGradInput(self, input, gradOutput):
    ...         self.gradInput = 2 * gradOutput
    ...         return self.gradInput
    >>> net = nn.Sequential(nn.Linear(2, 3), Double())
    >>> net(np.ones((5, 2))).shape
    (5, 3)

    Reference
    ---------
    Torch7, nn/Module.lua and nn/doc/module.md.
    """

    # Where it stands, which _places alone looks at.
    __slots__ = ("_holders", "_noted")

    # Whether a backward needs what the last forward left behind: then one instance cannot stand
    # in two places of a network.
    remembers = False
    # Whether accGradParameters may fail at any point, also on what updateOutput and updateGradInput
    # took: none of torchlite's own does, but for what is done without them.
    _foreign = False
    # Whether it neither may, nor asks others to accumulate.
    _plain = True

    weight: Any = None
    bias: Any = None
    gradWeight: Any = None
    gradBias: Any = None
    train: bool = True
    modules: Any = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        methods = cls.updateOutput, cls.updateGradInput, cls.accGradParameters
        accumulates = cls.accGradParameters is not Module.accGradParameters
        cls._foreign = accumulates and not all(map(_is_ours, methods))
        cls._plain = not cls._foreign

    # ---------------------------------------------------------------- forward and backward

    def forward(self, input: Any, *surplus: Any) -> Any:
        """Return `updateOutput(input)`."""
        if surplus:
            raise checks.too_many(self, "forward", "input", 1 + len(surplus), "forward([a, b])")
        return self.updateOutput(input)

    def __call__(self, input: Any, *surplus: Any) -> Any:
        """Return `forward(input)`."""
        return self.forward(input, *surplus) if surplus else self.forward(input)

    def backward(self, input: Any, gradOutput: Any, scale: Any = 1) -> Any:
        """Call `updateGradInput`, then `accGradParameters`; return the gradient of the input.

        With `gradInput = None` the first of the two is left out and None returned.
        """
        if type(scale) not in NUMBERS:
            scale = checks.number(self, "backward", "scale", scale)
        before = self.gradInput
        gradInput = self._backpropagate(input, gradOutput)
        try:
            self.accGradParameters(input, gradOutput, scale)
        except BaseException:
            self.gradInput = before
            raise
        return gradInput

    def updateOutput(self, input: Any) -> Any:
        """Compute the output for the input, keep it in `self.output` and return it."""
        raise NotImplementedError(f"{type(self).__name__} does not define updateOutput")

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        """Compute dL/dinput from dL/doutput, keep it in `self.gradInput` and return it."""
        raise NotImplementedError(f"{type(self).__name__} does not define updateGradInput")

    def accGradParameters(self, input: Any, gradOutput: Any, scale: Any = 1) -> None:
        """Add `scale` times dL/dparameter to each parameter's gradient. Here: no parameters."""

    def accUpdateGradParameters(self, input: Any, gradOutput: Any, lr: Any) -> None:
        """Subtract `lr` times this call's gradients from the parameters; keep the gradients."""
        lr = checks.rate(self, "accUpdateGradParameters", "lr", lr)
        gradients = self.parameters()[1]
        kept = [gradient.copy() for gradient in gradients]
        try:
            self.zeroGradParameters()
            self.accGradParameters(input, gradOutput, 1)
            self.updateParameters(lr)
        finally:
            for gradient, values in zip(gradients, kept, strict=True):
                gradient[...] = values

    def backwardUpdate(self, input: Any, gradOutput: Any, lr: Any) -> Any:
        """Call `updateGradInput`, then `accUpdateGradParameters`; return the gradient of input."""
        lr = checks.rate(self, "backwardUpdate", "lr", lr)
        before = self.gradInput
        gradInput = self._backpropagate(input, gradOutput)
        try:
            self.accUpdateGradParameters(input, gradOutput, lr)
        except BaseException:
            self.gradInput = before
            raise
        return gradInput

    def _backpropagate(self, input: Any, gradOutput: Any) -> Any:
        """Return `updateGradInput(...)`, or None where nobody needs it.

        A container is called in any case: its children need their gradOutputs.
        """
        if self.gradInput is None and not self.modules:
            return None
        return self.updateGradInput(input, gradOutput)

    # ---------------------------------------------------------------- parameters

    def parameters(self) -> tuple[list[Any], list[Any]]:
        """Return the parameters and, in the same order, their gradients.

        A layer whose parameters have other names than weight and bias overrides this.
        """
        weight, bias = self.weight, self.bias
        if weight is None:
            return ([], []) if bias is None else ([bias], [self.gradBias])
        if bias is None:
            return [weight], [self.gradWeight]
        return [weight, bias], [self.gradWeight, self.gradBias]

    def zeroGradParameters(self) -> Self:
        """Set every gradient to zero, in place. Return self."""
        for _, gradient in self._pairs():
            gradient.fill(0)
        return self

    def updateParameters(self, learningRate: Any) -> Self:
        """Subtract `learningRate * gradient` from every parameter, in place. Return self.

        A container does this for all of its `parameters()`, each once: a layer that is to stay
        as it is returns none.
        """
        # What is not finite is not 0 when it is subtracted from itself.
        if type(learningRate) not in NUMBERS or learningRate - learningRate:
            learningRate = checks.rate(self, "updateParameters", "learningRate", learningRate)
        for parameter, gradient in self._pairs():
            axpy(parameter, -learningRate, gradient)
        return self

    def _pairs(self) -> Any:
        """Return (parameter, gradient) pairs that cover all parameters, each once."""
        return zip(*self.parameters(), strict=True)

    def getParameters(self) -> tuple[Any, Any]:
        """Return all parameters as one flat array, and their gradients as another.

        The layers' own arrays become views of the two. If they already tile a piece of memory in
        order, that memory is returned: a second call, or a call on a part of the network, leaves
        what was returned before alive. Parameters shared inside the network appear once and stay
        shared. For sharing with a module outside of it, flatten first and share afterwards.

        Raises
        ------
        StateError
            Two parameters overlap without being one array, or share the parameter without the
            gradient. Nothing has changed then.
        """
        named = list(self._named_parameters())
        _refuse_entangled(self, named)
        unique = {id(parameter): (parameter, gradient) for _, parameter, gradient in named}
        if not unique:
            return np.zeros(0, self._dtype), np.zeros(0, self._dtype)
        stretches = []
        replacements: dict[int, Any] = {}
        for arrays in zip(*unique.values(), strict=True):
            memory = flat.stretch(arrays)
            if memory is None:
                memory, views = flat.flatten(arrays)
                replacements.update(zip(map(id, arrays), views, strict=True))
            stretches.append(memory)
        if replacements:
            rebind(self, lambda array: replacements.get(id(array), array))
        return stretches[0], stretches[1]

    def _named_parameters(self, name: str = "") -> Iterator[tuple[str, Any, Any]]:
        """Yield (where it stands, parameter, gradient), repeatedly where parameters are shared."""
        if self.modules:
            for i, module in enumerate(self.modules):
                yield from module._named_parameters(f"{name}[{i}]")
        else:
            for parameter, gradient in zip(*self.parameters(), strict=True):
                attribute = next(
                    (key for key, value in vars(self).items() if value is parameter), "a parameter"
                )
                yield f"{name} {checks.title(self)} {attribute}".strip(), parameter, gradient

    def share(self, other: "Module", *names: str) -> Self:
        """Take over the named arrays ('weight', 'gradWeight', ...) of another module. Return self.

        From then on both modules hold the same arrays. Containers share part by part. A name
        that a part does not have is skipped.

        Raises
        ------
        StateError
            The two are not built alike.
        ShapeError
            An array has another shape there. Nothing has changed then.
        """
        mine, theirs = self.listModules(), other.listModules()
        if len(mine) != len(theirs):
            raise StateError(
                f"{checks.title(self)}.share: both must have the same parts, "
                f"got {len(mine)} and {len(theirs)} modules",
                layer=self,
                method="share",
                argument="other",
                expected=f"{len(mine)} modules",
                got=f"{len(theirs)} modules",
            )
        taken = []
        for part, source in zip(mine, theirs, strict=True):
            for name in names:
                own, array = getattr(part, name, None), getattr(source, name, None)
                if own is None or array is None:
                    continue
                if own.shape != array.shape:
                    raise ShapeError(
                        f"{checks.title(part)}.share: {name} must be {shapes(own)}, "
                        f"got {shapes(array)} of {checks.title(source)}",
                        layer=part,
                        method="share",
                        argument=name,
                        expected=shapes(own),
                        got=shapes(array),
                    )
                taken.append((part, name, array))
        for part, name, array in taken:
            setattr(part, name, array)
        return self

    def clone(self, *names: str) -> Self:
        """Return a copy; the named arrays ('weight', 'bias', ...) are shared with it."""
        return super().clone().share(self, *names)

    def reset(self, stdv: Any = None) -> Self:
        """Draw the parameters anew, in place. Return self. Here: no parameters."""
        return self

    def _held_dtype(self) -> Any:
        parameters = self.parameters()[0]
        return parameters[0].dtype if parameters else self._dtype

    # ---------------------------------------------------------------- the tree of modules

    def training(self) -> Self:
        """Switch self and all parts to training mode. Return self."""
        return self.apply(lambda module: setattr(module, "train", True))

    def evaluate(self) -> Self:
        """Switch self and all parts to evaluation mode. Return self."""
        return self.apply(lambda module: setattr(module, "train", False))

    def apply(self, function: Callable[["Module"], Any]) -> Self:
        """Call function on self, then on every part, in order. Return self."""
        function(self)
        for module in self.modules:
            module.apply(function)
        return self

    def replace(self, function: Callable[["Module"], "Module"]) -> "Module":
        """Put function(module) in the place of each part, and return function(self)."""
        result = function(self)
        for i, module in enumerate(self.modules):
            self.modules[i] = module.replace(function)
        return result

    def listModules(self) -> list["Module"]:
        """Return self and every part, in order; what stands in two places is listed twice."""
        found: list[Module] = []
        self.apply(found.append)
        return found

    def findModules(self, kind: Any) -> tuple[list["Module"], list["Module"]]:
        """Return the modules of a class (subclasses too) or of a class name, and their containers.

        Names may begin with "nn.", as Torch7's do. The container of a match at the top is the
        match itself.

        Raises
        ------
        SettingError
            No class of modules has this name.
        DTypeError
            kind is neither a class nor a name.

        Example
        -------
        >>> import torchlite as nn
        >>> net = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU()))
        >>> net.findModules("ReLU")[0], net.findModules(nn.Linear)[0]
        ([ReLU], [Linear(2 -> 2)])
        """
        kind = _class_or_name(self, kind)
        nodes: list[Module] = []
        containers: list[Module] = []

        def search(module: Module, container: Module) -> None:
            if type(module).__name__ == kind or (
                isinstance(kind, type) and isinstance(module, kind)
            ):
                nodes.append(module)
                containers.append(container)
            for part in module.modules:
                search(part, module)

        search(self, self)
        return nodes, containers

    def __repr__(self) -> str:
        return type(self).__name__


def _class_or_name(module: Module, kind: Any) -> Any:
    """Return the kind that findModules is to look for, without "nn."; raise if there is none."""
    where, expected = f"{checks.title(module)}.findModules", "a class of modules or its name"
    if isinstance(kind, type):
        return kind
    if not isinstance(kind, str):
        got = checks.title(kind) if isinstance(kind, Module) else repr(kind)
        hint = f"findModules({type(kind).__name__!r})" if isinstance(kind, Module) else None
        raise fault(
            DTypeError, where, "kind", expected, got, layer=module, method="findModules", hint=hint
        )
    name = kind.removeprefix("nn.")
    known = set(_names(Module))
    if name not in known:
        # Torchlite's own classes are loaded when they are first named.
        from torchlite import nn

        known.update(public for public in nn.__all__ if issubclass(getattr(nn, public), Module))
    if name not in known:
        close = get_close_matches(name, sorted(known), 1)
        raise fault(
            SettingError,
            where,
            "kind",
            expected,
            repr(kind),
            layer=module,
            method="findModules",
            hint=f"{close[0]!r}?" if close else None,
        )
    return name


def _names(cls: type[Module]) -> Iterator[str]:
    yield cls.__name__
    for subclass in cls.__subclasses__():
        yield from _names(subclass)


def _is_ours(method: Any) -> bool:
    # Where it was written: its __module__ is that of another, where functools.wraps was at work.
    where = getattr(method, "__globals__", {}).get("__name__", "")
    return bool(where.startswith("torchlite.nn."))


def _refuse_entangled(module: Module, named: list[tuple[str, Any, Any]]) -> None:
    """Raise unless any two parameters are one array with one gradient, or apart with two."""

    def refuse(what: str, one: str, other: str, hint: str) -> NoReturn:
        raise StateError(
            f"{checks.title(module)}.getParameters: {one} and {other} {what}",
            layer=module,
            method="getParameters",
            hint=hint,
        )

    partner: dict[int, tuple[Any, str]] = {}
    for name, parameter, gradient in named:
        for one, other in ((parameter, gradient), (gradient, parameter)):
            known, first = partner.setdefault(id(one), (other, name))
            if known is not other:
                refuse(
                    "share the parameter or the gradient, but not both",
                    first,
                    name,
                    "clone('weight', 'bias', 'gradWeight', 'gradBias') shares all of them",
                )
    for side in (1, 2):
        unique: dict[int, tuple[str, Any]] = {
            id(row[side]): (row[0], row[side]) for row in named if type(row[side]) is np.ndarray
        }
        spans = sorted(
            (*np.lib.array_utils.byte_bounds(array), i, name, array)
            for i, (name, array) in enumerate(unique.values())
        )
        for (_, end, _, name, array), (start, _, _, other, next_array) in pairwise(spans):
            if start < end and np.shares_memory(array, next_array):
                refuse(
                    "overlap in memory without being one array",
                    name,
                    other,
                    "give one of them a copy",
                )
