"""Nodes that hold modules: what a module called with nodes returns."""

import sys
from pathlib import PurePath
from types import FrameType
from typing import Any

import numpy as np

from torchlite.errors import DTypeError, SettingError, StateError, fault
from torchlite.nn.checks import title
from torchlite.nn.graph._graph import Node
from torchlite.nn.nested import is_array

__all__ = ["ModuleNode", "NodeData", "called", "holds_nodes", "nest", "node_of"]

_ANOTHER = "nn.Identity()(node) is another node of the same value"


class NodeData:
    """What a node of a network stands for.

    Attributes
    ----------
    module
        The module; None in nodes that only split tables.
    mapindex
        The data of the nodes before it, in the order of its input.
    annotations
        What `annotate` said, and "_debugLabel", the line where the node was made.
    selectindex
        Which entry of a table it is, counted from 0; None: it is no part of a split.
    nSplitOutputs
        In how many parts a table is split here, or None.
    input, gradOutput
        In the graphs of a gModule: what its last forward and updateGradInput gave to the node.
    users
        The data of the nodes that it goes to.
    placed
        Whether a gModule was made of it.
    number
        In the graphs of a gModule: its number in drawings, from 1; else 0.
    """

    def __init__(
        self,
        module: Any = None,
        annotations: dict[str, Any] | None = None,
        selectindex: int | None = None,
        nSplitOutputs: int | None = None,
    ) -> None:
        self.module = module
        self.mapindex: list[NodeData] = []
        self.annotations: dict[str, Any] = {} if annotations is None else annotations
        self.selectindex = selectindex
        self.nSplitOutputs = nSplitOutputs
        self.input: Any = None
        self.gradOutput: Any = None
        self.users: list[NodeData] = []
        self.placed = False
        self.number = 0


class ModuleNode(Node):
    """A module in a network that is still to be made, and the nodes that its input comes from.

    Calling a module with nodes makes one: `h = nn.Linear(3, 4)(x)`; with nothing, one whose input
    comes from outside: `x = nn.Identity()()`. `nn.gModule([x], [h])` makes the network.

    Attributes
    ----------
    data
        A `NodeData`: module, annotations ...
    children
        The nodes that its input comes from: nodes are made from the output backwards.

    Example
    -------
    >>> import torchlite as nn
    >>> x = nn.Identity()()
    >>> h = nn.Linear(3, 4)(x).annotate(name="hidden", description="all that it knows")
    >>> h.data.module, h.children[0] is x
    (Linear(3 -> 4), True)
    >>> print(h.label())
    desc = all that it knows
    module = Linear(3 -> 4)

    Reference
    ---------
    Torch7, nngraph/node.lua.
    """

    def __init__(self, data: NodeData | None = None) -> None:
        super().__init__(NodeData() if data is None else data)

    def add(self, child: Any, domap: bool = False) -> None:
        """Let an edge lead to a node, or a list of nodes; domap: its input comes from there."""
        nodes = child if isinstance(child, (list, tuple)) else [child]
        met = set(map(id, self.data.mapindex))
        for node in nodes if domap else ():
            if not isinstance(node, ModuleNode):
                expected, got = "a ModuleNode, or a list", type(node).__name__
                raise fault(DTypeError, "ModuleNode.add", "child", expected, got)
            if id(node.data) in met:
                raise StateError(
                    f"{called(self.data)}: a node must come once in an input, "
                    f"{called(node.data)} comes twice",
                    layer=self.data.module,
                    method="__call__",
                    argument="input",
                    hint=_ANOTHER,
                )
            met.add(id(node.data))
        super().add(nodes)
        for node in nodes if domap else ():
            self.data.mapindex.append(node.data)
            node.data.users.append(self.data)

    def split(self, noutput: int) -> "list[ModuleNode]":
        """Return a node for each entry of the table that this node's module returns."""
        where = f"{called(self.data)}.split"
        if isinstance(noutput, bool) or not isinstance(noutput, (int, np.integer)):
            raise fault(DTypeError, where, "noutput", "a whole number", repr(noutput))
        if noutput < 1:
            raise fault(SettingError, where, "noutput", "at least 1", str(noutput))
        annotations = {"_debugLabel": _line_of(sys._getframe(1))}
        if noutput == 1:
            # A Module, and Module knows of nodes.
            from torchlite.nn.graph.just_element import JustElement

            return [_made(NodeData(JustElement(), annotations), [self])]
        whole = _made(NodeData(None, annotations, nSplitOutputs=int(noutput)), [self])
        return [
            _made(NodeData(None, dict(annotations), selectindex=i), [whole]) for i in range(noutput)
        ]

    def annotate(self, **annotations: Any) -> "ModuleNode":
        """Note a name, a description, graphAttributes (a dict of Graphviz's). Return self."""
        self.data.annotations.update(annotations)
        return self

    def label(self) -> str:
        """Return what a drawing writes: description, module, and what the last calls gave to it.

        Arrays are written by shape, and whether there is NaN or infinity in them.
        """
        data = self.data
        said = data.annotations.get("description")
        lines = [] if said is None else [f"desc = {said}"]
        if len(data.mapindex) > 1:
            before = ",".join(f"Node{other.number or ''}" for other in data.mapindex)
            lines.append(f"mapindex = {{{before}}}")
        for name in ("module", "selectindex", "nSplitOutputs", "input", "gradOutput"):
            value = getattr(data, name)
            if value is not None:
                lines.append(f"{name} = {_shown(value)}")
        return "\n".join(lines)

    def graphNodeName(self) -> str:
        """Return the name that a drawing gives it: its own, and its number."""
        name = self.data.annotations.get("name")
        return super().graphNodeName() if name is None else f"{name} ({self.id})"

    def graphNodeAttributes(self) -> dict[str, Any]:
        """Return graphAttributes, and the line where it was made as a tooltip."""
        annotations = self.data.annotations
        tooltip = {"tooltip": annotations["_debugLabel"]} if "_debugLabel" in annotations else {}
        own = annotations.get("graphAttributes")
        return {**tooltip, **(own if isinstance(own, dict) else {})}

    def __repr__(self) -> str:
        name = self.data.annotations.get("name")
        return f"ModuleNode({_what(self.data)}{'' if name is None else f' {name!r}'})"


def node_of(module: Any, given: tuple[Any, ...], frame: FrameType) -> ModuleNode:
    """Return the node of a module that was called with nodes, or with nothing."""
    where = title(module)
    before: Any = given[0] if given else []
    if isinstance(before, ModuleNode):
        before = [before]
    if len(given) > 1 or isinstance(before, dict):
        got = f"{len(given)} of them" if len(given) > 1 else "a dict"
        raise fault(
            DTypeError,
            where,
            "input",
            "a node or a list of nodes",
            got,
            layer=module,
            method="__call__",
            hint=f"nn.{type(module).__name__}(...)([a, b]): several inputs are one table",
        )
    for i, node in enumerate(before):
        if not isinstance(node, ModuleNode):
            expected, hint = "a node like the others", "of arrays all, or of nodes all"
            if isinstance(node, (list, tuple)):
                hint = "nn.graph.nest(nodes) is one node of a table in a table"
            elif hasattr(node, "updateOutput"):
                hint = "a second pair of parentheses makes a node of a module: nn.ReLU()(x)"
            raise fault(
                DTypeError,
                where,
                f"input[{i}]",
                expected,
                f"an array {node.shape}" if is_array(node) else type(node).__name__,
                layer=module,
                method="__call__",
                hint=hint,
            )
    return _made(NodeData(module, {"_debugLabel": _line_of(frame)}), before)


def nest(nodes: Any) -> ModuleNode:
    """Return the node of a table: a list of nodes, or of such lists.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> x, y = nn.Identity()(), nn.Identity()()
    >>> net = nn.gModule([x, y], [nn.FlattenTable()(nest([x, [y]]))])
    >>> net.forward([np.array([1.0]), np.array([2.0])])
    [array([1.]), array([2.])]

    Reference
    ---------
    Torch7, nngraph/nest.lua.
    """
    _must_nest(nodes)
    return _nested(nodes, sys._getframe(1))


def _must_nest(nodes: Any) -> None:
    if isinstance(nodes, ModuleNode):
        return
    if not isinstance(nodes, (list, tuple)) or not nodes:
        got = type(nodes).__name__ if nodes else "an empty one"
        raise fault(DTypeError, "nest", "nodes", "a node, or a list of nodes and lists", got)
    met: list[NodeData] = []
    for node in nodes:
        _must_nest(node)
        if not isinstance(node, ModuleNode):
            continue
        if any(known is node.data for known in met):
            raise StateError(
                f"nest: a node must come once in a list, {called(node.data)} comes twice",
                method="nest",
                argument="nodes",
                hint=_ANOTHER,
            )
        met.append(node.data)


def _nested(nodes: Any, frame: FrameType) -> ModuleNode:
    if isinstance(nodes, ModuleNode):
        return nodes
    # Modules, and Module knows of nodes.
    from torchlite.nn.graph.just_table import JustTable
    from torchlite.nn.simple.identity import Identity

    inside = [_nested(node, frame) for node in nodes]
    return node_of(JustTable() if len(inside) == 1 else Identity(), (inside,), frame)


def holds_nodes(value: Any) -> bool:
    """Tell whether a value is a node, or a list with one in it.

    Example
    -------
    >>> import torchlite as nn
    >>> holds_nodes([nn.Identity()()]), holds_nodes([1.0])
    (True, False)
    """
    if isinstance(value, (list, tuple, dict)):
        return any(map(holds_nodes, value.values() if isinstance(value, dict) else value))
    return isinstance(value, ModuleNode)


def called(data: NodeData) -> str:
    """Return what errors call a node: its module, its name, and where it was made."""
    name, line = (data.annotations.get(key) for key in ("name", "_debugLabel"))
    named = "" if name is None else f" '{name}'"
    return f"{_what(data)}{named}{f' of {line}' if line else ''}"


def _what(data: NodeData) -> str:
    if data.module is not None:
        return title(data.module)
    if data.selectindex is not None:
        return f"part {data.selectindex} of a split"
    return "a split" if data.nSplitOutputs is not None else "a node without a module"


def _made(data: NodeData, before: list[ModuleNode]) -> ModuleNode:
    made = ModuleNode(data)
    made.add(before, True)
    return made


def _line_of(frame: FrameType) -> str:
    """Return where in which file a frame is."""
    return f"[{PurePath(frame.f_code.co_filename).name}]:{frame.f_lineno}"


def _shown(value: Any) -> str:
    """Return a value as a drawing writes it."""
    if isinstance(value, (list, tuple)):
        return "{" + ",".join(map(_shown, value)) + "}"
    if not is_array(value):
        return str(title(value) if hasattr(value, "updateOutput") else value)
    flag = ""
    if value.dtype.kind in "fc" and value.size:
        if bool(np.isnan(value).any()):
            flag = "NaN"
        elif value.dtype.kind == "f" and bool(np.isinf(value).any()):
            flag = "inf" if bool((value == np.inf).any()) else "-inf"
    return f"{value.dtype}[{'x'.join(map(str, value.shape))}]{flag}"
