"""gModule."""

from collections.abc import Sequence
from typing import Any, Never, NoReturn

from numpy import ndarray

from torchlite.errors import StateError
from torchlite.nn import checks, table_checks
from torchlite.nn._remembering import OneAfterAnother
from torchlite.nn.container import locate
from torchlite.nn.entries import total_gradient
from torchlite.nn.graph._graph import Graph
from torchlite.nn.graph._nodes import ModuleNode, called
from torchlite.nn.graph._wiring import Source, Wiring, described, graphs_of, wired
from torchlite.nn.nested import EMPTY, same, shapes

__all__ = ["gModule"]


class gModule(OneAfterAnother):
    """Modules wired as one likes: a network of nodes, from inputs to outputs.

    A module that is called with nodes makes a node of itself, whose input comes from them; called
    with nothing, one whose input comes from outside. Of a list of nodes its input is a table.

    Maths
    -----
    With `modules` in an order in which each comes after all that it needs, and `inputs[i]` made of
    outputs of modules before it::

        activations[0] = input
        activations[i + 1] = modules[i].updateOutput(inputs[i])
        output = activations of the output nodes

    and back, in the reverse order, where the gradient of what several use is the sum::

        gradOutputs[i] = sum(dL/dinputs[j] by activations[i + 1], for each j that uses it)
        dL/dinputs[i] = modules[i].updateGradInput(inputs[i], gradOutputs[i])
        gradInput = sum(dL/dinputs[j] by the input, for each j that uses it)

    Shapes
    ------
    input: what the module of the input node takes, a table with one entry for each input where
    there are several; output likewise.

    Parameters
    ----------
    inputs, outputs
        Lists of nodes.

    Attributes
    ----------
    modules
        The module of each node, in Torch7's order, depth first from the outputs. One that is called
        twice stands there twice; its parameters count once.
    inputs, activations
        After a forward: what each module was given; the input and what each module returned.
    gradOutputs
        After `updateGradInput`: the gradient of what each module returned, so that
        `modules[i].backward(inputs[i], gradOutputs[i])` is the step of module i.
    nodes
        All nodes as plain values: module (its position in modules), inputs (numbers of nodes),
        annotations, selectindex, nSplitOutputs. The first is the input, the last the output.
    edges
        What leads to what, by positions in modules.
    fg, bg, forwardnodes, backwardnodes
        The graph, made anew each time, with what the last calls gave to each node: edges lead ahead
        in fg, back in bg; and the nodes of both in the order of computation.

    Conventions
    -----------
    A backward runs `updateGradInput` of all modules in the reverse order, then `accGradParameters`
    of all. It needs the memory of a forward of the same input; a new forward drops it, and so does
    an error. Of a part of a split that nothing uses, the gradient is zeros. With `gradInput = None`
    of a module (or of the network itself) the gradient of the input is left out and None returned,
    unless a module before has parameters: StateError. The same instance may be called for several
    nodes if it remembers nothing. Nodes can be used again, for another gModule of the same modules.
    A chain of small layers costs some 5 percent more than a Sequential.

    Raises
    ------
    StateError
        At construction: nodes lead in a circle, or nowhere, or come from nowhere; a module that
        remembers its forward is called twice. Modules cannot be added or removed afterwards. Later:
        the input (or gradOutput) is not that of the last forward (or `updateGradInput`).
    DTypeError, ShapeError
        inputs and outputs are no lists of nodes. Later: input or gradOutput is no table of the
        right length; `split(n)` of a table of another length.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x = nn.Identity()()
    >>> h = nn.Linear(2, 2)(x)
    >>> y = nn.CAddTable()([x, nn.Tanh()(h)])
    >>> net = nn.gModule([x], [y])
    >>> net.modules
    [Identity, Linear(2 -> 2), Tanh, CAddTable]
    >>> net[1].weight[:], net[1].bias[:] = 0, 0
    >>> net.forward(np.array([1.0, 2.0]))
    array([1., 2.])
    >>> net.backward(np.array([1.0, 2.0]), np.array([1.0, 10.0]))
    array([ 1., 10.])
    >>> net[1].gradWeight
    array([[ 1.,  2.],
           [10., 20.]])

    Reference
    ---------
    Torch7, nngraph/gmodule.lua.
    """

    _validates = True
    transient = (
        *OneAfterAnother.transient,
        "inputs",
        "_gradOutput",
        "_way_back",
        "_wiring",
    )
    inputs: Any = ()
    # To what gradOutputs belong, and the modules that they reached.
    _gradOutput: Any = None
    _way_back: Any = ()
    # What nodes mean, once it was found out.
    _wiring: Wiring | None = None

    nodes: list[dict[str, Any]]

    def __init__(self, inputs: Sequence[ModuleNode], outputs: Sequence[ModuleNode]) -> None:
        super().__init__()
        order, nodes = described(inputs, outputs)
        for data in order:
            try:
                if data.module is not None:
                    super().insert(data.module)
            except StateError as error:
                error.add_note(f"  at the node {called(data)}")
                raise
        self.nodes = nodes
        self._wiring = wired(nodes)
        for data in order:
            data.placed = True

    def __setstate__(self, state: dict[str, Any]) -> None:
        wiring = wired(state["nodes"])
        if len(wiring.sources) != len(state["modules"]):
            raise StateError(
                f"gModule: {len(state['modules'])} modules, {len(wiring.sources)} in nodes"
            )
        vars(self).update(state)

    # ---------------------------------------------------------------- forward and backward

    def updateOutput(self, input: Any) -> Any:
        """Run the modules in order, and keep what each was given and returned."""
        self._forget()
        modules, wiring = self.modules, self._wired()
        if wiring.inputs > 1:
            table_checks.must_be_table(self, "updateOutput", "input", input, wiring.inputs)
        # The last one makes room for the next.
        self.output = EMPTY
        path, inputs = [input], []
        position = 0
        try:
            for position, source in enumerate(wiring.direct):
                if source is None:
                    given = self._together(path, wiring.sources[position])
                else:
                    given = path[source]
                inputs.append(given)
                path.append(modules[position].updateOutput(given))
        except Exception as error:
            locate(error, self, position, self._story(path, position))
            raise
        self.output = self._together(path, wiring.outputs)
        self.activations, self.inputs = path, inputs
        return self.output

    def updateGradInput(self, input: Any, gradOutput: Any) -> Any:
        """Run the modules' updateGradInput in the reverse order, and sum what comes together."""
        path = self._path_of("updateGradInput", input)
        modules, wiring, inputs = self.modules, self._wired(), self.inputs
        direct, alone = wiring.direct, wiring.alone
        self.gradOutputs = ()
        if self.gradInput is not None:
            # The last one makes room for the next.
            self.gradInput = EMPTY
        position = len(modules)
        gradOutputs: list[Any] = [None] * position
        # By position in the path: the gradient, or what it is the sum of.
        arrived: list[Any] = [None] * (position + 1)
        self._send_outputs(gradOutput, arrived)
        missed = False
        try:
            while position:
                gradient = arrived[position]
                if not alone[position]:
                    gradient = self._total(path[position], gradient)
                position -= 1
                module, source = modules[position], direct[position]
                gradOutputs[position] = gradient
                if gradient is None:
                    missed = True
                    self._must_not_need(position, gradOutputs)
                    gradInput = None
                elif module.gradInput is None:
                    gradInput = module._backpropagate(inputs[position], gradient)
                else:
                    gradInput = module.updateGradInput(inputs[position], gradient)
                if source is not None and alone[source]:
                    arrived[source] = gradInput
                else:
                    self._send_back(position, gradInput, arrived)
        except Exception as error:
            self._forget()
            locate(error, self, position, self._backward_story(gradOutputs, position))
            raise
        gradInput = arrived[0] if alone[0] else self._total(path[0], arrived[0])
        self.gradOutputs, self._gradOutput = gradOutputs, gradOutput
        self._way_back = range(len(modules) - 1, -1, -1)
        if missed:
            self._way_back = [i for i in self._way_back if gradOutputs[i] is not None]
        if self.gradInput is None:
            return None
        self.gradInput = EMPTY if gradInput is None else gradInput
        return gradInput

    def _steps(self, input: Any, gradOutput: Any) -> tuple[Any, Any, Any, Any]:
        self._path_of("accGradParameters", input)
        known = self._gradOutput
        if known is not gradOutput or not self.gradOutputs:
            self._must_have_gone_back(bool(self.gradOutputs) and same(known, gradOutput))
        return self._way_back, self.modules, self.inputs, self.gradOutputs

    # ---------------------------------------------------------------- along the edges

    def _wired(self) -> Wiring:
        """Return what is computed from what."""
        wiring = self._wiring
        if wiring is None:
            wiring = self._wiring = wired(self.nodes)
        if len(wiring.sources) != len(self.modules):
            raise StateError(
                f"gModule: modules must stay as many as nodes, {len(wiring.sources)}, got "
                f"{len(self.modules)}",
                layer=self,
                hint="modules[i] = other, or replace, puts another one in its place",
            )
        return wiring

    def _together(self, path: list[Any], sources: list[Source]) -> Any:
        """Return what a Source stands for, or the table of what several do."""
        values = [self._given(path, source) for source in sources]
        return values if len(values) > 1 else values[0]

    def _given(self, path: list[Any], source: Source) -> Any:
        """Return what a Source stands for."""
        value = path[source.of]
        for key, count in source.keys:
            if not isinstance(value, (list, tuple)) or len(value) != count:
                raise checks.misshapen(
                    self,
                    "updateOutput",
                    self._named(source.of),
                    f"a table of {count} entries for split({count})",
                    value,
                )
            value = value[key]
        return value

    def _send_outputs(self, gradOutput: Any, arrived: list[Any]) -> None:
        """Send gradOutput to where the outputs come from."""
        wiring, method = self._wired(), "updateGradInput"
        outputs, argument = wiring.outputs, "gradOutput"
        several = len(outputs) > 1
        if several:
            table_checks.must_be_table(self, method, argument, gradOutput, len(outputs))
        for i, source in enumerate(outputs):
            gradient = gradOutput[i] if several else gradOutput
            name = f"gradOutput[{i}]" if several else argument
            if wiring.alone[source.of] and gradient is not None:
                arrived[source.of] = gradient
            else:
                # The sum would broadcast, and cast, what the module before cannot see any more.
                output = self._given(self.activations, source)
                gradient = table_checks.checked_gradient(self, method, gradient, output, name)
                self._send(source, gradient, None, arrived)

    def _send_back(self, sender: int, gradInput: Any, arrived: list[Any]) -> None:
        """Send the gradInput of a module to where its input came from."""
        sources = self._wired().sources[sender]
        if len(sources) == 1:
            self._send(sources[0], gradInput, sender, arrived)
            return
        if gradInput is not None:
            module, method = self.modules[sender], "updateGradInput"
            table_checks.must_be_table(module, method, "gradInput", gradInput, len(sources))
        for i, source in enumerate(sources):
            self._send(source, None if gradInput is None else gradInput[i], sender, arrived)

    def _send(self, source: Source, gradient: Any, sender: int | None, arrived: list[Any]) -> None:
        """Note a gradient of a Source; sender: whose gradInput it is."""
        of, keys = source
        if self._wired().alone[of]:
            arrived[of] = gradient
            return
        if sender is not None and gradient is not None:
            value = self._given(self.activations, source)
            plain = type(gradient) is ndarray is type(value) and gradient.shape == value.shape
            if not plain and shapes(gradient) != shapes(value):
                raise checks.misshapen(
                    self.modules[sender],
                    "updateGradInput",
                    "gradInput",
                    shapes(value),
                    gradient,
                    why=" like its input",
                )
        if arrived[of] is None:
            arrived[of] = []
        arrived[of].append((keys, gradient))

    def _total(self, value: Any, arrived: list[Any]) -> Any:
        """Return the sum of the gradients of a value, and of parts of it; None if one is missing.

        The arrays are views of what arrived only where there is nothing to be added.
        """
        whole = []
        parts: dict[int, list[Any]] = {}
        for keys, gradient in arrived:
            if gradient is None:
                return None
            if keys:
                parts.setdefault(keys[0][0], []).append((keys[1:], gradient))
            else:
                whole.append(gradient)
        if parts:
            whole.append([self._total(part, parts.get(i, [])) for i, part in enumerate(value)])
        return whole[0] if len(whole) == 1 else total_gradient(whole, value)

    def _must_not_need(self, position: int, gradOutputs: list[Any]) -> None:
        """Raise where a module that nobody sends a gradient to has something to be trained."""
        module = self.modules[position]
        if not module.parameters()[0]:
            return
        # The one that sends none stands behind those that got none themselves.
        sender = position
        while gradOutputs[sender] is None:
            users = [target for source, target, _ in self.edges if source == sender]
            sender = min(
                (user for user in users if user < len(self)),
                key=lambda user: (
                    gradOutputs[user] is not None,
                    self.modules[user].gradInput is not None,
                ),
            )
        raise checks.cut_off(self.modules[sender], module, sender, position)

    # ---------------------------------------------------------------- memory and errors

    def _forget(self) -> None:
        self.activations = self.inputs = self.gradOutputs = self._way_back = ()
        self._gradOutput = None

    def _story(self, path: list[Any], position: int) -> str:
        led = []
        for of, keys in self._wired().sources[position]:
            value = path[of]
            text = self._named(of)
            for key, _ in keys:
                text += f"[{key}]"
                value = value[key] if isinstance(value, (list, tuple)) and key < len(value) else ()
            led.append(f"{text} {'-> ' if of else ''}{shapes(value)}")
        return f"{', '.join(led)} -> {self._here(position)}"

    def _backward_story(self, gradOutputs: Any, position: int) -> str:
        return f"gradOutput {shapes(gradOutputs[position])} -> {self._here(position)}"

    def _named(self, of: int) -> str:
        """Return what errors call an entry of activations."""
        return f"[{of - 1}] {checks.title(self.modules[of - 1])}" if of else "input"

    def _here(self, position: int) -> str:
        """Return what errors call the node of a module, with what annotates it."""
        node = next(node for node in self.nodes if node["module"] == position)
        said = [str(node["annotations"].get(key, "")) for key in ("name", "description")]
        return ", ".join([f"[{position}] here", *filter(None, said)])

    # ---------------------------------------------------------------- the graph

    def _graphs(self) -> tuple[Graph, Graph]:
        self._wired()
        return graphs_of(self.nodes, self.modules, self.inputs, self.gradOutputs)

    @property
    def edges(self) -> list[tuple[int, int, str]]:
        """What leads to what: (position in modules, position, which entry of a table).

        -1 is the input, the number of modules the output. An entry is written as "[2]".
        """
        wiring = self._wired()
        found: list[tuple[int, int, str]] = []
        for target, table in enumerate([*wiring.sources, wiring.outputs]):
            for i, (of, keys) in enumerate(table):
                entry = "".join(f"[{key}]" for key, _ in keys)
                if target == len(wiring.sources) and len(table) > 1:
                    entry += f"[{i}]" if not entry else f" as [{i}]"
                found.append((of - 1, target, entry))
        return found

    @property
    def fg(self) -> Graph:
        """The graph in which edges lead from the input to the output."""
        return self._graphs()[0]

    @property
    def bg(self) -> Graph:
        """The graph in which edges lead from the output to the input."""
        return self._graphs()[1]

    @property
    def forwardnodes(self) -> list[Any]:
        """The nodes of fg in the order of a forward."""
        return self.fg.topsort()

    @property
    def backwardnodes(self) -> list[Any]:
        """The nodes of bg in the order of a backward."""
        return self.bg.topsort()

    # ---------------------------------------------------------------- a fixed set of modules

    def insert(self, module: Any, index: Any = None) -> Never:
        """Raise StateError: a gModule is made of nodes, all at once."""
        self._refuse("add" if index is None else "insert", "nn.Sequential(net, module)")

    def remove(self, index: Any = None) -> Never:
        """Raise StateError: a gModule is made of nodes, all at once."""
        self._refuse("remove", "modules[i] = nn.Identity() lets a value pass")

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            self._refuse("__getitem__", "a slice of its modules: net.modules[i:j]")
        return super().__getitem__(index)

    def _refuse(self, method: str, hint: str) -> NoReturn:
        raise StateError(
            f"{type(self).__name__}.{method}: a gModule is made of nodes, all at once",
            layer=self,
            method=method,
            hint=f"{hint}; or build another one of nodes",
        )

    def __repr__(self) -> str:
        return type(self).__name__
