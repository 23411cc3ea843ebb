"""From nodes to what a gModule keeps of them, and from that to what it does, and to its graphs."""

from typing import Any, NamedTuple

from torchlite.errors import DTypeError, StateError, fault
from torchlite.nn.graph._graph import Graph, depth_first
from torchlite.nn.graph._nodes import ModuleNode, NodeData, called

__all__ = ["Source", "Wiring", "described", "graphs_of", "wired"]

_NUMBER = (int, type(None))
_TYPES: dict[str, tuple[type, ...]] = {
    "module": _NUMBER,
    "inputs": (list,),
    "annotations": (dict,),
    "selectindex": _NUMBER,
    "nSplitOutputs": _NUMBER,
}
# How many splits of parts of splits there may be.
_DEEPEST = 100
_LEAD = "every node must lead to one of the outputs"


class Source(NamedTuple):
    """A part of what a module returned.

    Attributes
    ----------
    of
        Where it stands in `activations`: 0 is the input, i + 1 what modules[i] returned.
    keys
        Which entry of that, and of how many: ((3, 4),) is the last of four.
    """

    of: int
    keys: tuple[tuple[int, int], ...]


class Wiring(NamedTuple):
    """What is computed from what.

    Attributes
    ----------
    inputs
        How many inputs there are.
    sources
        For each module the Sources of its input: of one, or of the entries of a table.
    direct
        For each module the position in `activations` of what is its input as it is, or None.
    outputs
        The Sources of the outputs.
    alone
        For each position in `activations`, whether it goes to one place, and there as a whole.
    """

    inputs: int
    sources: list[list[Source]]
    direct: list[int | None]
    outputs: list[Source]
    alone: list[bool]


def described(inputs: Any, outputs: Any) -> tuple[list[NodeData], list[dict[str, Any]]]:
    """Return the data of all nodes, in order, and the same as plain values.

    The order is Torch7's: each node after all that it needs, depth first from the outputs.
    """
    for name, nodes in (("inputs", inputs), ("outputs", outputs)):
        _must_be_nodes(name, nodes)
    innode, outnode = NodeData(), NodeData()
    outnode.mapindex += [node.data for node in outputs]
    first = _fed_by(innode, inputs)

    def before(data: NodeData) -> list[NodeData]:
        return first.get(id(data), data.mapindex)

    order: list[NodeData] = []
    circle = depth_first([outnode], before, order.append)
    if circle:
        names = " -> ".join(map(called, [circle[0], *circle[:0:-1], circle[0]]))
        raise StateError(
            f"gModule: nodes must lead in no circle, got {names}",
            method="__init__",
            argument="outputs",
        )
    numbers = {id(data): number for number, data in enumerate(order)}
    _must_lead_to(inputs, numbers)
    for data in order:
        if data is not innode and not before(data):
            raise StateError(
                f"gModule: every node must come from the inputs, {called(data)} has no input and "
                "is none of them",
                method="__init__",
                argument="inputs",
                hint="name it among the inputs",
            )
        if data.module is None and len(data.mapindex) > 1 and data is not outnode:
            raise StateError(
                f"gModule: {called(data)} must have one input, got {len(data.mapindex)}",
                method="__init__",
                argument="outputs",
                hint="nn.graph.nest(nodes) is the node of a table",
            )
    _must_not_dangle(order, numbers)
    modules = [data for data in order if data.module is not None]
    positions = {id(data): position for position, data in enumerate(modules)}
    return order, [
        {
            "module": positions.get(id(data)),
            "inputs": [numbers[id(other)] for other in before(data)],
            "annotations": data.annotations,
            "selectindex": data.selectindex,
            "nSplitOutputs": data.nSplitOutputs,
        }
        for data in order
    ]


def _must_be_nodes(name: str, nodes: Any) -> None:
    if not isinstance(nodes, (list, tuple)):
        hint = f"[{name[:-1]}]" if isinstance(nodes, ModuleNode) else None
        raise _refused(DTypeError, name, "a list of nodes", type(nodes).__name__, hint)
    if not nodes:
        raise _refused(DTypeError, name, "a list of at least one node", "an empty list")
    for i, node in enumerate(nodes):
        if not isinstance(node, ModuleNode):
            hint = None
            if hasattr(node, "updateOutput"):
                hint = "a second pair of parentheses makes a node of a module: nn.Identity()()"
            raise _refused(DTypeError, f"{name}[{i}]", "a node", type(node).__name__, hint)
        if any(other is node for other in nodes[:i]):
            hint = "nn.Identity()(node) is another node of the same value"
            got = f"{called(node.data)} again"
            raise _refused(StateError, f"{name}[{i}]", "another node", got, hint)
    for i, node in enumerate(nodes if name == "inputs" else ()):
        if node.data.mapindex:
            got = f"{called(node.data)}, which comes after {called(node.data.mapindex[0])}"
            hint = "nn.Identity()() is such a node"
            raise _refused(StateError, f"inputs[{i}]", "a node before all others", got, hint)
        if node.data.module is None:
            got = "a node without a module"
            raise _refused(StateError, f"inputs[{i}]", "a node of a module", got)


def _refused(kind: Any, argument: str, expected: str, got: str, hint: str | None = None) -> Any:
    return fault(kind, "gModule", argument, expected, got, method="__init__", hint=hint)


def _fed_by(innode: NodeData, inputs: Any) -> dict[int, list[NodeData]]:
    """Return what comes before each input: the input as a whole, split if there are several."""
    if len(inputs) == 1:
        return {id(inputs[0].data): [innode]}
    whole = NodeData(nSplitOutputs=len(inputs))
    whole.mapindex.append(innode)
    before = {}
    for i, node in enumerate(inputs):
        part = NodeData(selectindex=i)
        part.mapindex.append(whole)
        before[id(node.data)] = [part]
    return before


def _must_lead_to(inputs: Any, numbers: dict[int, int]) -> None:
    for i, node in enumerate(inputs):
        if id(node.data) not in numbers:
            raise StateError(
                f"gModule: every input must lead to one of the outputs, inputs[{i}], "
                f"{called(node.data)}, does not",
                method="__init__",
                argument=f"inputs[{i}]",
            )


def _must_not_dangle(order: list[NodeData], numbers: dict[int, int]) -> None:
    for data in order:
        for user in data.users:
            # A part that nothing uses may be left out.
            lost = user.users if user.selectindex is not None else [user]
            for other in lost if id(user) not in numbers else ():
                # What stands in another network leads somewhere.
                if not other.placed:
                    raise StateError(
                        f"gModule: {_LEAD}, {called(other)} leads nowhere",
                        method="__init__",
                        argument="outputs",
                        hint="name it among the outputs, or leave it out: make anew what "
                        f"{called(data)} stands for",
                    )


def wired(nodes: list[dict[str, Any]]) -> Wiring:
    """Return what is computed from what; raise StateError where nodes say something impossible."""
    if type(nodes) is not list or not nodes:
        raise StateError(f"gModule: nodes must be a list of some, got {nodes!r}")
    values: list[Source] = []
    sources: list[list[Source]] = []
    inputs, last = 1, len(nodes) - 1
    for number, node in enumerate(nodes):
        if type(node) is not dict or node.keys() != _TYPES.keys():
            raise StateError(f"gModule: node {number} must have {', '.join(sorted(_TYPES))}")
        for key, kinds in _TYPES.items():
            if type(node[key]) not in kinds:
                got = type(node[key]).__name__
                raise StateError(f"gModule: {key} of node {number} must not be of type {got}")
        origins = node["inputs"]
        known = all(type(i) is int and 0 <= i < number for i in origins)
        if not known or bool(origins) != bool(number):
            raise StateError(f"gModule: the inputs of node {number} are {origins}")
        before = [values[i] for i in origins]
        position, select = node["module"], node["selectindex"]
        if position is not None:
            if position != len(sources) or number in (0, last):
                raise StateError(f"gModule: the module of node {number} is {position}")
            sources.append(before)
            values.append(Source(len(sources), ()))
            continue
        if number == last:
            break
        if len(before) > 1:
            raise StateError(f"gModule: node {number} has no module, and {len(before)} inputs")
        value = before[0] if before else Source(0, ())
        if select is not None:
            count = nodes[origins[0]]["nSplitOutputs"] if origins else None
            if count is None or not 0 <= select < count or len(value.keys) == _DEEPEST:
                raise StateError(f"gModule: node {number} is part {select} of {count}")
            value = Source(value.of, (*value.keys, (select, count)))
            if value == Source(0, ((select, count),)):
                inputs = count
        values.append(value)
    outputs = before
    uses = [0] * (len(sources) + 1)
    alone = [True] * len(uses)
    for of, keys in [source for table in [*sources, outputs] for source in table]:
        uses[of] += 1
        alone[of] = alone[of] and not keys and uses[of] == 1
    if 0 in uses:
        raise StateError(f"gModule: nothing uses activations[{uses.index(0)}]")
    direct = [None if len(table) > 1 or table[0].keys else table[0].of for table in sources]
    return Wiring(inputs, sources, direct, outputs, alone)


def graphs_of(
    nodes: list[dict[str, Any]], modules: list[Any], inputs: Any, gradOutputs: Any
) -> tuple[Graph, Graph]:
    """Return the graph in which edges lead ahead, and its reverse, of the same data."""
    made: list[ModuleNode] = []
    for node in nodes:
        data = NodeData(None, node["annotations"], node["selectindex"], node["nSplitOutputs"])
        position = node["module"]
        if position is not None:
            data.module = modules[position]
            data.input = inputs[position] if inputs else None
            data.gradOutput = gradOutputs[position] if gradOutputs else None
        made.append(ModuleNode(data))
        made[-1].add([made[i] for i in node["inputs"]], True)
    backward = made[-1].graph()
    forward = backward.reverse()
    for one in forward.nodes:
        one.data.number = one.id
    return forward, backward
