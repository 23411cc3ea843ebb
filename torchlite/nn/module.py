"""Module: the contract that every layer keeps."""

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Self, final, overload

import numpy as np
from numpy import ndarray

from torchlite.errors import DTypeError, SettingError, ShapeError, StateError, closest, fault
from torchlite.kernels import flat
from torchlite.kernels.arrays import Array, Number
from torchlite.kernels.blas import axpy
from torchlite.kernels.weak import weakly
from torchlite.nn import checks, regularizing
from torchlite.nn._through_time import ThroughTime
from torchlite.nn.checks import NUMBERS
from torchlite.nn.graph import ModuleNode, holds_nodes, node_of
from torchlite.nn.nested import shapes
from torchlite.nn.stateful import arrays_in, attributes, inside, kept, put, rebind, restored
from torchlite.nn.ties import EntangledError, Gathered
from torchlite.nn.tree import Located, name_of, rows, walk

if TYPE_CHECKING:
    from torchlite.nn._calls import Backward, Forward, GradInput, GradOutput, Input, Output

__all__ = ["Module"]

_PASSES = ("updateOutput", "updateGradInput", "accGradParameters")

# What layers train, or keep running: names that may be shared wherever no part has them.
_SHARED = frozenset(
    (
        *("weight", "bias", "weightO", "diagCov", "g", "v", "running_mean", "running_var"),
        *("gradWeight", "gradBias", "gradWeightO", "gradDiagCov", "gradG", "gradV"),
    )
)
# Of the flat arrays that somebody keeps.
_LEFT_FLAT = (
    "parameters have left the flat arrays that getParameters() returned, and what is done to these "
    "no longer reaches them. Call getParameters() again after replacing arrays or casting"
)
_NOT_IN_FLAT = (
    "parameters that were added stand outside the flat arrays that getParameters() returned, and "
    "what is done to these does not reach them. Call getParameters() again after adding layers"
)


class Module(ThroughTime):
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
        The parts of a container, in order. What other attributes hold, or lists, tuples and dicts
        in them, are parts, too: `training`, `reset`, `type`, `clone`, `listModules` ... reach them.
    remembers
        Of the class: True says that a backward needs what the last forward left behind.
    transient
        Of the class: the names of attributes that a call leaves behind, in addition to those of its
        bases: copies and files are without them, and `clearState` deletes them, so that their
        empty values, on the class, show again.
    refers
        Of the class: the names of attributes that only refer to a module standing elsewhere in the
        network. It is no part; in a copy of the network they refer to its copy.
    exempt
        Of the class, or a property where settings decide: the properties of the checker
        (`torchlite.testing`) that the layer breaks by definition, each with the reason.

    Conventions
    -----------
    A layer that remembers nothing depends on the arguments alone: `updateGradInput(input, ...)`
    is right whatever was forwarded last. (Some look whether `input` is the very array of the last
    forward, and then use what they found there: do not write to it, or to `output`, in between.)
    One that must remember its forward (dropout, every container) says so and raises StateError when
    `input` is not what it remembers, looking at the values only when it is another array.

    `parameters()` says what is trained: of a layer weight and bias, of a container what its modules
    say. A layer that trains what stands in another attribute overrides it; nothing is gathered from
    attributes, and the checker tells who forgot.

    Two parameters that are views of one memory, a transpose or a slice, are one parameter to a
    module that holds both: `parameters()` of a container lists the array that holds the other, zero
    and update touch each number once, and `getParameters`, copies, casts and files keep the views.
    Their gradients must be the same views of one memory. Whoever updates layers one by one updates
    each one's own view; what is tied to an array outside of what is copied is cut apart.

    A call that raises has changed nothing. Of a container, no parameter and no gradient has
    changed, but the children that already ran keep their new output, their running statistics and
    what they drew, and its own output, which made room for theirs, is empty: a backward then needs
    another forward.

    That holds for whatever can be foreseen. `type`, `share`, `getParameters`, `training`,
    `evaluate` and `reset` are also done whole or not at all where memory runs out or Ctrl-C comes
    (though results are forgotten, and random numbers drawn); a second Ctrl-C may leave half.

    What breaks off the arithmetic itself, when memory runs out or Ctrl-C comes, may leave a step
    half done. A layer makes all increments before it adds the first, so that running out of memory
    leaves a layer's gradients all old or all new; Ctrl-C may come between two of them, and a sum
    that np.seterr refuses is refused after it was added. A container broken off in
    `accGradParameters` puts all gradients back if one of its layers is not torchlite's or np.seterr
    makes NumPy raise; otherwise the layers that already ran keep what they added.
    `zeroGradParameters` and `updateParameters` broken off have done some of the arrays. Zero the
    gradients and repeat the step; where an update was broken off, go back to saved parameters, or
    accept a step that some layers did not take.

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

    # Where it stands, which holders.py alone looks at.
    __slots__ = ("_holders", "_noted")

    remembers = False
    # Whether its parameters are just those of its modules.
    _gathers = False
    transient = (*ThroughTime.transient, "_gathered_pairs", "_moved")
    _caches: Any = ("_gathered_pairs", "_moved")
    # Of a class alone, not of those that inherit from it: those of updateOutput, updateGradInput
    # and accGradParameters that it defines validate before they change anything.
    _validates = True
    # How a container around it learns whether accGradParameters may fail after others have
    # accumulated. None: not on what updateOutput and updateGradInput took.
    _look_ahead: Any = None
    # Whether it has its last gradInput back where accumulating fails, and so keeps it that long:
    # not where nothing accumulates, nor a container, inside which all others are new by then.
    _puts_back = False
    # The attributes that refer to modules of whose last forward this one makes use, and whether
    # there are such classes for this one.
    _recalls: Any = ()
    _may_be_recalled = False
    # Of a parameter: the axis along which outputs are counted, and that of inputs.
    _norm_axes: Any = (0, -1)
    # The momentum of the gradients, as updateGradParameters has left it.
    momGradParams: Any = ()
    # Whose gradients these moved last.
    _moved: Any = ()

    weight: Any = None
    bias: Any = None
    gradWeight: Any = None
    gradBias: Any = None
    train: bool = True
    modules: Any = ()

    # The parameters as they were found last.
    _gathered_pairs: Gathered | None = None
    # Weak references to the flat arrays that getParameters returned, and to the views of these.
    _flat_arrays: Any = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        accumulates = cls._puts_back = cls.accGradParameters is not Module.accGradParameters
        if accumulates and not all(_validates(cls, method) for method in _PASSES):
            cls._look_ahead = fails_anywhere

    # ---------------------------------------------------------------- forward and backward

    def forward(self: "Forward[Input, Output]", input: "Input", *surplus: Any) -> "Output":
        """Return `updateOutput(input)`."""
        if surplus:
            raise checks.too_many(self, "forward", "input", 1 + len(surplus), "forward([a, b])")
        return self.updateOutput(input)

    @overload
    def __call__(self, input: ModuleNode | Sequence[ModuleNode] = ..., /) -> ModuleNode: ...

    @overload
    def __call__(self: "Forward[Input, Output]", input: "Input", /, *surplus: Any) -> "Output": ...

    def __call__(self, input: Any = ..., *surplus: Any) -> Any:
        """Return `forward(input)`; of nodes, or of nothing, a node of a network (`gModule`)."""
        if type(input) is ndarray and not surplus:
            return self.forward(input)
        given = () if input is ... else (input, *surplus)
        if not given or holds_nodes(given):
            return node_of(self, given, sys._getframe(1))
        return self.forward(*given)

    def backward(
        self: "Backward[Input, GradOutput, GradInput]",
        input: "Input",
        gradOutput: "GradOutput",
        scale: Number = 1,
    ) -> "GradInput":
        """Call `updateGradInput`, then `accGradParameters`; return the gradient of the input.

        With `gradInput = None` the first of the two is left out and None returned.
        """
        scale = checks.scale(self, scale, "backward")
        before = self.gradInput if self._puts_back else None
        gradInput = self._backpropagate(input, gradOutput)
        try:
            self.accGradParameters(input, gradOutput, scale)
        except BaseException:
            if self._puts_back:
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

    def backwardUpdate(self, input: Any, gradOutput: Any, lr: Number) -> Any:
        """Call `updateGradInput`, then `accUpdateGradParameters`; return the gradient of input."""
        lr = checks.rate(self, "backwardUpdate", "lr", lr)
        before = self.gradInput if self._puts_back else None
        gradInput = self._backpropagate(input, gradOutput)
        try:
            self.accUpdateGradParameters(input, gradOutput, lr)
        except BaseException:
            if self._puts_back:
                self.gradInput = before
            raise
        return gradInput

    @final
    def _backpropagate(self, input: Any, gradOutput: Any) -> Any:
        """Return `updateGradInput(...)`, or None where nobody needs it.

        A container is called in any case: its children need their gradOutputs.
        """
        if self.gradInput is None and not self.modules:
            return None
        return self.updateGradInput(input, gradOutput)

    # ---------------------------------------------------------------- parameters

    def parameters(self) -> tuple[list[Array], list[Array]]:
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
        for _, gradient in self._pairs("zeroGradParameters"):
            gradient.fill(0)
        return self

    def updateParameters(self, learningRate: Number) -> Self:
        """Subtract `learningRate * gradient` from every parameter, in place. Return self.

        A container does this for all of its `parameters()`, each once: a layer that is to stay
        as it is returns none.
        """
        # What is not finite is not 0 when it is subtracted from itself.
        if type(learningRate) not in NUMBERS or learningRate - learningRate:
            learningRate = checks.rate(self, "updateParameters", "learningRate", learningRate)
        for parameter, gradient in self._pairs("updateParameters"):
            axpy(parameter, -learningRate, gradient)
        return self

    def gradParamClip(self, cutoffNorm: Number, moduleLocal: bool = False) -> float | None:
        """Shorten the gradients, in place, to the length cutoffNorm. Return their length before.

        All of them are one vector; with moduleLocal, those of each layer are one, and the length is
        that of all before. With cutoffNorm <= 0 nothing is done, and None returned. Gradients whose
        length is infinite or NaN stay as they are. Attributes `cutoffNorm` and `moduleLocal` of a
        module go before the arguments.

        Example
        -------
        >>> import torchlite as nn
        >>> layer = nn.Linear(1, 1)
        >>> layer.gradWeight[:], layer.gradBias[:] = 6, 8
        >>> layer.gradParamClip(5), layer.gradWeight, layer.gradBias
        (10.0, array([[3.]]), array([4.]))
        """
        return regularizing.clip(self, cutoffNorm=cutoffNorm, moduleLocal=moduleLocal)

    def maxParamNorm(
        self, maxOutNorm: Number | None = None, maxInNorm: Number | None = None
    ) -> Self:
        """Shorten rows of parameters to maxOutNorm, then columns to maxInNorm. Return self.

        Rows are what belongs to an output, `weight[i]`, columns what belongs to an input,
        `weight[..., i]`; parameters of one dimension have neither. One whose norm is larger than
        the limit is multiplied, in place, by limit / (norm + 1e-7). None, or a limit <= 0, is none.
        Attributes `maxOutNorm` and `maxInNorm` of a module go before the arguments.

        Example
        -------
        >>> import torchlite as nn
        >>> layer = nn.Linear(2, 2)
        >>> layer.weight[:] = [[6, 8], [0.3, 0.4]]
        >>> layer.maxParamNorm(5).weight.round(6)
        array([[3. , 4. ],
               [0.3, 0.4]])
        """
        regularizing.limit(self, maxOutNorm=maxOutNorm, maxInNorm=maxInNorm)
        return self

    def weightDecay(self, wdFactor: Number, wdMinDim: int = 2) -> Self:
        """Add wdFactor times each parameter of at least wdMinDim dimensions to its gradient.

        With wdFactor <= 0 nothing is done. Attributes `wdFactor` and `wdMinDim` of a module go
        before the arguments. Return self.

        Example
        -------
        >>> import torchlite as nn
        >>> layer = nn.Linear(1, 1)
        >>> layer.weight[:], layer.bias[:] = 2, 3
        >>> layer.weightDecay(0.5).gradWeight, layer.gradBias
        (array([[1.]]), array([0.]))
        """
        regularizing.decay(self, wdFactor=wdFactor, wdMinDim=wdMinDim)
        return self

    def updateGradParameters(
        self, momFactor: Number, momDamp: Number | None = None, momNesterov: bool = False
    ) -> Self:
        """Put momentum in the place of the gradients. Return self.

        The momentum m of a gradient, in the list `momGradParams`, begins as a copy of it; each call
        does m = momFactor * m + (1 - momDamp) * gradient, then gradient = m, or with momNesterov
        gradient += momFactor * m. Without momDamp it is momFactor. With momFactor <= 0 nothing is
        done. All momenta begin anew where a gradient is no longer that of the same layer.
        Attributes `momFactor`, `momDamp` and `momNesterov` of a module go before the
        arguments.

        Example
        -------
        >>> import torchlite as nn
        >>> layer = nn.Linear(1, 1, bias=False)
        >>> for gradient in (1, 3):
        ...     layer.gradWeight[:] = gradient
        ...     print(layer.updateGradParameters(0.5).gradWeight)
        [[1.]]
        [[2.]]
        """
        regularizing.move(self, momFactor=momFactor, momDamp=momDamp, momNesterov=momNesterov)
        return self

    def reinforce(self, reward: Any) -> Self:
        """Give a reward to every layer inside that draws its output. Return self.

        That of a batch has a number for each sample; recurrent modules take also one for each step.
        See `ReinforceBernoulli` and its kin.
        """
        for _, part in inside(self):
            if isinstance(part, Module):
                part.reinforce(reward)
        return self

    @final
    def _pairs(self, method: str) -> list[tuple[Array, Array]]:
        """Return (parameter, gradient) pairs that cover all parameters, each number once."""
        gathered = self._gathered_pairs
        if gathered is None or not self._still_stands(gathered):
            gathered = self._gather(method, "_gathered_pairs", *self._listed_parameters())
        return gathered.runs

    def _still_stands(self, gathered: Gathered) -> bool:
        """Tell whether what was gathered is what `_listed_parameters()` lists now."""
        return gathered.still_holds(*self._listed_parameters())

    def _listed_parameters(self) -> tuple[list[Array], list[Array]]:
        """Return `parameters()`, but shared and tied ones as often as they stand there."""
        return self.parameters()

    @final
    def _gather(
        self, method: str, slot: str, parameters: list[Array], gradients: list[Array]
    ) -> Gathered:
        # To compare is cheap, to sort out what is shared and what is adjacent is not: that is
        # done when some array is another one than last time.
        gathered: Gathered | None = getattr(self, slot)
        if gathered is None or not gathered.still_holds(parameters, gradients):
            gathered = self._sorted_out(method, parameters, gradients)
            apart = [part for part in self._flattened() if part._flat_fault()]
            if apart:
                if method not in ("zeroGradParameters", "updateParameters"):
                    return gathered
                said = apart[0]._flat_fault()
                for part in apart:
                    part._flat_arrays = None
                warnings.warn(f"{checks.title(self)}.{method}: {said}", stacklevel=4)
            setattr(self, slot, gathered)
        return gathered

    @final
    def _flattened(self) -> list["Module"]:
        """Return what getParameters was called of: itself, or else the outermost parts inside."""
        found = []
        # Not by walk: it looks into vars, which makes attributes slower, from then on, on Python
        # 3.11, and this happens in every network.
        waiting: list[Module] = [self]
        while waiting:
            part = waiting.pop()
            if part._flat_arrays is not None:
                found.append(part)
            else:
                waiting += part.modules
        return found

    @final
    def _flat_fault(self) -> str:
        """Return what is to be said if not all parameters are in the flat arrays, or ""."""
        returned, views = self._flat_arrays
        # Nobody misses what nobody kept: getParameters()[0].size counts the parameters.
        if all(known() is None for known in returned):
            return ""
        those = {id(view) for view in (known() for known in views) if view is not None}
        now = {id(array) for side in self._listed_parameters() for array in side}
        if now <= those:
            return ""
        return _LEFT_FLAT if len(those & now) < len(views) else _NOT_IN_FLAT

    @final
    def _sorted_out(self, method: str, parameters: list[Array], gradients: list[Array]) -> Gathered:
        try:
            return Gathered(parameters, gradients)
        except EntangledError as error:
            raise self._entangled(method, *error.pairs, error.what, error.hint) from None

    @final
    def _entangled(
        self,
        method: str,
        one: tuple[Array, Array],
        other: tuple[Array, Array],
        what: str,
        hint: str,
    ) -> StateError:
        """Return the error of two (parameter, gradient) pairs, or of one that is both."""
        names = list(dict.fromkeys(map(self._name_of_pair, (one, other))))
        return StateError(
            f"{checks.title(self)}.{method}: {' and '.join(names)} {what}",
            layer=self,
            method=method,
            hint=hint,
        )

    @final
    def _name_of_pair(self, pair: tuple[Array, Array]) -> str:
        """Return how errors name a parameter: "[0] Linear(3 -> 2) weight"."""
        for place in walk(self):
            name, gradient = (name_of(place.module, array) for array in pair)
            if name and gradient:
                return f"{place.path} {checks.title(place.module)} {name}".strip()
        return "a parameter"

    def getParameters(self) -> tuple[Array, Array]:
        """Return all parameters as one flat array, and their gradients as another.

        The layers' own arrays become views of the two. If they already tile a piece of memory in
        order, that memory is returned: a second call, or a call on a part of the network, leaves
        what was returned before alive. Parameters shared inside the network appear once and stay
        shared; one that is a view of another (a transpose, a slice), and whose gradient is the same
        view, appears as a part of that one and stays a view. For sharing with a module outside of
        it, flatten first and share afterwards.

        After an array was replaced, a layer added, or the network cast, the two no longer are its
        parameters: the next zeroGradParameters or updateParameters warns, once, if one of the two
        was kept.

        Raises
        ------
        StateError
            Two parameters share the parameter without the gradient, or memory in another way than
            their gradients do, or overlap without one being a view of the other; or one of them
            holds a number in several places. Nothing has changed then.

        Example
        -------
        >>> import torchlite as nn
        >>> encoder, decoder = nn.Linear(3, 2, False), nn.Linear(2, 3, False)
        >>> decoder.weight, decoder.gradWeight = encoder.weight.T, encoder.gradWeight.T
        >>> net = nn.Sequential(encoder, decoder)
        >>> parameters, gradParameters = net.getParameters()
        >>> parameters[:] = [0, 1, 2, 3, 4, 5]
        >>> decoder.weight
        array([[0., 3.],
               [1., 4.],
               [2., 5.]])
        """
        method = "getParameters"
        gathered = self._everywhere(method)
        self._refuse_half_shared(gathered)
        if not gathered.covers:
            return np.zeros(0, self._dtype), np.zeros(0, self._dtype)
        stretches = []
        replacements: dict[int, Any] = {}
        for side in (0, 1):
            arrays = [cover.memory[side] for cover in gathered.covers]
            memory = flat.stretch(arrays)
            if memory is None:
                memory, views = flat.flatten(arrays)
                for cover, view in zip(gathered.covers, views, strict=True):
                    replacements.update(cover.moved(side, view))
            # A view, for the layers keep the memory itself.
            stretches.append(memory[:])
        if replacements:
            rebind(self, lambda array: replacements.get(id(array), array))
            for place in walk(self):
                if getattr(place.module, "_gathered_pairs", None) is not None:
                    del place.module._gathered_pairs
        earlier = self._flat_arrays[0] if self._flat_arrays else []
        self._flat_arrays = (
            [*(known for known in earlier if known() is not None), *map(weakly, stretches)],
            [weakly(array) for side in self._listed_parameters() for array in side],
        )
        return stretches[0], stretches[1]

    @final
    def _refuse_half_shared(self, gathered: Gathered) -> None:
        partner: dict[int, tuple[Any, Any]] = {}
        for cover in gathered.covers:
            for array in cover.pair:
                known = partner.setdefault(id(array), cover.pair)
                if known is not cover.pair:
                    raise self._entangled(
                        "getParameters",
                        known,
                        cover.pair,
                        "share the parameter or the gradient, but not both",
                        "clone('weight', 'bias', 'gradWeight', 'gradBias') shares all of them",
                    )

    @final
    def _everywhere(self, method: str) -> Gathered:
        """Return `parameters()` with all that is tied to them, inside containers too."""
        listed = self._gather(method, "_gathered_pairs", *self._listed_parameters())
        tied = list(rows(self))
        return self._sorted_out(
            method,
            [*listed.parameters, *(row.parameter for row in tied)],
            [*listed.gradients, *(row.gradient for row in tied)],
        )

    def located_parameters(self) -> Iterator[Located]:
        """Yield every parameter that `parameters()` trains, at each place where it stands.

        A row tells `place` (with its `path`, `module` and what is `around` it), `name`,
        `parameter`, `gradient`, and `entries`: where the numbers stand in the flat array of
        `getParameters()`.

        Example
        -------
        >>> import torchlite as nn
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
        >>> for row in net.located_parameters():
        ...     print(row.place.path, row.name, row.parameter.shape, row.entries)
        [0] weight (3, 2) slice(0, 6, None)
        [0] bias (3,) slice(6, 9, None)
        [2] weight (1, 3) slice(9, 12, None)
        [2] bias (1,) slice(12, 13, None)
        """
        entries: dict[int, Any] = {}
        start = 0
        for cover in self._everywhere("located_parameters").covers:
            size = cover.pair[0].size
            entries.setdefault(id(cover.pair[0]), cover.entries(start))
            for (parameter, _), where in cover.tied:
                entries.setdefault(id(parameter), start + where.places())
            start += size
        for row in rows(self):
            yield row._replace(entries=entries[id(row.parameter)])

    def share(self, other: "Module", *names: str) -> Self:
        """Take over the named arrays ('weight', 'gradWeight', ...) of another module. Return self.

        From then on both modules hold the same arrays. Containers share part by part. A name
        that a part does not have is skipped.

        Raises
        ------
        StateError
            The two are not built alike.
        SettingError
            No part has such a name, nor has a layer of torchlite's.
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
        for name in names:
            if name not in _SHARED and not any(hasattr(part, name) for part in (*mine, *theirs)):
                close = closest(name, _SHARED)
                raise fault(
                    SettingError,
                    f"{checks.title(self)}.share",
                    "names",
                    "names of arrays",
                    repr(name),
                    layer=self,
                    method="share",
                    hint=f"{close!r}?" if close else None,
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
        put(
            [
                (vars(part) if name in vars(part) else part, name, array)
                for part, name, array in taken
            ]
        )
        return self

    def clone(self, *names: str) -> Self:
        """Return a copy; the named arrays ('weight', 'bias', ...) are shared with it.

        Raises
        ------
        SettingError
            No part has such a name, nor has a layer of torchlite's.
        """
        made = super().clone()
        return made.share(self, *names) if names else made

    def reset(self, stdv: Any = None) -> Self:
        """Draw the parameters anew, in place. Return self. Here: those of the modules inside."""
        if stdv is not None:
            checks.deviation(self, stdv)

        def left_to_others(part: Any) -> bool:
            return part is self or getattr(type(part), "reset", Module.reset) is Module.reset

        inside = [place.module for place in walk(self, left_to_others)]
        apart = [part for part in inside if not left_to_others(part)]
        # Beside parameters, layers start running statistics anew.
        held = arrays_in([*map(attributes, apart)])
        with restored({id(array): array for _, array in held}.values()):
            for part in apart:
                part.reset(stdv)
        return self

    def __getstate__(self) -> dict[str, Any]:
        state = super().__getstate__()
        # A copy has arrays of its own.
        state.pop("_flat_arrays", None)
        return state

    def _held_dtype(self) -> np.dtype[Any]:
        parameters = self.parameters()[0]
        return parameters[0].dtype if parameters else self._dtype

    # ---------------------------------------------------------------- the tree of modules

    def training(self) -> Self:
        """Switch self and all parts to training mode. Return self."""
        return self._switch(True)

    def evaluate(self) -> Self:
        """Switch self and all parts to evaluation mode. Return self."""
        return self._switch(False)

    @final
    def _switch(self, train: bool) -> Self:
        put(
            [
                # Where train is a property, as a container's is, its value stands below it.
                (vars(module) if hasattr(type(module).train, "__set__") else module, "train", train)
                for module in self.listModules()
            ]
        )
        return self

    def maskZero(self, v1: bool = False) -> Self:
        """Let recurrent modules inside start anew where a mask is set (`setZeroMask`). Return self.

        With v1 the mask is found, not told: where a sample has nothing but zeros at a step.
        """
        with kept(self, "maskzero", "v1"):
            for _, part in inside(self):
                if isinstance(part, Module):
                    part.maskZero(v1)
        return self

    def trimZero(self, nInputDim: int) -> Self:
        """Let recurrent modules inside do without samples that are nothing but zeros. Return self.

        The numbers are those of a mask that is found; nInputDim is how many dimensions one sample
        has.
        """
        for _, part in inside(self):
            if isinstance(part, Module):
                part.trimZero(nInputDim)
        return self

    def apply(self, function: Callable[["Module"], Any]) -> Self:
        """Call function on self, then on every part, in order. Return self."""
        for module in self.listModules():
            function(module)
        return self

    def replace(self, function: Callable[["Module"], "Module"]) -> "Module":
        """Put function(module) in the place of each part, and return function(self).

        What else refers to a part refers to what took its place.
        """
        places = [place for place in walk(self) if isinstance(place.module, Module)]
        made = [function(place.module) for place in places]
        instead = {id(place.module): new for place, new in zip(places, made, strict=True)}
        for place, new in zip(places, made, strict=True):
            if place.outer is not None and place.step.startswith("["):
                place.outer.module.modules[int(place.step[1:-1])] = new
            for name, value in list(vars(place.module).items()):
                if name not in ("modules", *place.module.transient):
                    exchanged = _exchanged(value, instead)
                    if exchanged is not value:
                        setattr(place.module, name, exchanged)
        return made[0]

    def listModules(self) -> list["Module"]:
        """Return self and every part, in order; what stands in two places is listed twice.

        Parts are what stands in `modules`, and what other attributes, or lists, tuples and dicts
        in them, hold; the latter are listed once. `refers` names the attributes that are no parts.
        """
        return [place.module for place in walk(self) if isinstance(place.module, Module)]

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
        for place in walk(self):
            module = place.module
            if type(module).__name__ == kind or (
                isinstance(kind, type) and isinstance(module, kind)
            ):
                nodes.append(module)
                containers.append(module if place.outer is None else place.outer.module)
        return nodes, containers

    def __repr__(self) -> str:
        return type(self).__name__

    def _repr_html_(self) -> str:
        """Return what a notebook shows: the tree of modules, with their parameters as pictures."""
        # A way up, as cuda() is: whoever has no notebook knows nothing of it.
        from torchlite.stepping import notebook

        return notebook.of_module(self)


def _exchanged(value: Any, instead: dict[int, Module]) -> Any:
    """Return a value with what has been replaced in it; lists and dicts stay the same ones."""
    if isinstance(value, Module):
        return instead.get(id(value), value)
    if isinstance(value, list):
        value[:] = [_exchanged(entry, instead) for entry in value]
    elif isinstance(value, dict):
        value.update({key: _exchanged(entry, instead) for key, entry in value.items()})
    elif type(value) is tuple:
        return tuple(_exchanged(entry, instead) for entry in value)
    return value


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
    if name in known:
        return name
    # Torchlite's own classes are loaded when they are first named.
    from torchlite import nn

    known.update(public for public in nn.__all__ if issubclass(getattr(nn, public), Module))
    if name not in known:
        close = closest(name, known)
        hint = f"{close!r}?" if close else None
        raise fault(
            SettingError,
            where,
            "kind",
            expected,
            repr(kind),
            layer=module,
            method="findModules",
            hint=hint,
        )
    return name


def _names(cls: type[Module]) -> Iterator[str]:
    yield cls.__name__
    for subclass in cls.__subclasses__():
        yield from _names(subclass)


def fails_anywhere(module: Module, input: Any, gradOutput: Any, planned: Any) -> bool:
    """What layers are taken for that do not say that they validate before they act."""
    return True


def _validates(cls: type[Module], method: str) -> bool:
    """Tell whether the class that defines the method says of itself that it validates."""
    return next("_validates" in vars(base) for base in cls.__mro__ if method in vars(base))
