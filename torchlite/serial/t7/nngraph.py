"""gModules: from the nodes and graphs that nngraph writes, and back to them."""

from typing import Any

from torchlite import nn
from torchlite.serial.t7.kept import Kept
from torchlite.serial.t7.plain import is_plain, shown
from torchlite.serial.t7.values import Object, Table
from torchlite.serial.values import RefusalError

__all__ = ["FIELDS", "PARTS", "read", "write"]

# Objects of these classes stay what they are: a gModule alone knows what they mean.
PARTS = frozenset({"nngraph.Node", "graph.Node", "graph.Graph", "graph.Edge"})

# What a gModule of Torch7 holds beside modules and what all modules have.
FIELDS = (
    "fg", "bg", "forwardnodes", "backwardnodes", "innode", "outnode", "nInputs", "verbose"
)  # fmt: skip


def read(fields: dict[str, Any]) -> Any:
    """Return the gModule of nodes that hold modules."""
    nodes = fields.get("forwardnodes")
    if not isinstance(nodes, list) or not nodes:
        raise RefusalError("forwardnodes", "must be a list of nodes")
    data = [_data(node, f"forwardnodes[{i}]") for i, node in enumerate(nodes)]
    numbers = {id(one): number for number, one in enumerate(data)}
    tables = [id(one.get("mapindex")) for one in data if one.get("mapindex")]
    if len(numbers) < len(data) or len(set(tables)) < len(tables):
        raise RefusalError("forwardnodes", "two nodes must have data of their own")
    made = nn.gModule.__new__(nn.gModule)
    made.modules = []
    described = []
    for number, one in enumerate(data):
        where = f"forwardnodes[{number}].data"
        module = one.get("module")
        if isinstance(module, Object):
            module = Kept(module)
        if module is not None and not isinstance(module, nn.Module):
            raise RefusalError(f"{where}.module", f"must be a module, got {shown(module)}")
        if one.get("criterion") is not None:
            raise RefusalError(f"{where}.criterion", "torchlite has no nodes of criterions")
        described.append(
            {
                "module": None if module is None else len(made.modules),
                "inputs": [_number(other, numbers, where) for other in _entries(one, "mapindex")],
                "annotations": _annotations(one),
                "selectindex": _whole(one, "selectindex", where, less=1),
                "nSplitOutputs": _whole(one, "nSplitOutputs", where),
            }
        )
        if module is not None:
            nn.Container.insert(made, module)
    # Which sees to it that the nodes make sense.
    made.__setstate__({"modules": made.modules, "nodes": described})
    return made


def _data(node: Any, where: str) -> dict[str, Any]:
    data = node.fields.get("data") if isinstance(node, Object) and node.fields else None
    if not isinstance(data, (dict, Table)):
        raise RefusalError(where, "must be a node with data")
    return data  # type: ignore[return-value]


def _entries(data: Any, name: str) -> list[Any]:
    """Return the entries 1, 2, ... of a table that has others, too."""
    table = data.get(name)
    if isinstance(table, list):
        return table
    entries: list[Any] = []
    while isinstance(table, (dict, Table)) and len(entries) + 1 in table:
        entries.append(table[len(entries) + 1])
    return entries


def _number(data: Any, numbers: dict[int, int], where: str) -> int:
    if id(data) not in numbers:
        raise RefusalError(f"{where}.mapindex", "names a node that is not there")
    return numbers[id(data)]


def _annotations(data: Any) -> dict[str, Any]:
    said = data.get("annotations")
    return dict(said) if isinstance(said, dict) and is_plain(said) else {}


def _whole(data: Any, name: str, where: str, less: int = 0) -> int | None:
    value = data.get(name)
    if value is None:
        return None
    if type(value) is not int or value < 1:
        raise RefusalError(f"{where}.{name}", f"must count from one, got {shown(value)}")
    return value - less


def write(module: Any, fields: dict[str, Any]) -> None:
    """Say in Torch7's nodes and graphs what a gModule is."""
    forward, backward = module._graphs()
    nodes = {id(node): _node(node) for graph in (forward, backward) for node in graph.nodes}
    tables: dict[int, tuple[Any, dict[str, Any]]] = {
        id(node.data): (node.data, {}) for node in forward.nodes
    }
    users = {id(node.data): nodes[id(node)] for node in backward.nodes}
    for data, table in tables.values():
        table["annotations"] = dict(data.annotations)
        table["forwardNodeId"] = data.number
        table["mapindex"] = _indexed([tables[id(other)][1] for other in data.mapindex])
        table["reverseMap"] = Table([(users[id(user)], True) for user in data.users])
        if data.module is not None:
            table["module"] = data.module
        if data.selectindex is not None:
            table["selectindex"] = data.selectindex + 1
        if data.nSplitOutputs is not None:
            table["nSplitOutputs"] = data.nSplitOutputs
    for graph in (forward, backward):
        for node in graph.nodes:
            made = nodes[id(node)].fields
            made["data"] = tables[id(node.data)][1]
            made["children"] = _indexed([nodes[id(child)] for child in node.children])
    fields["fg"] = _graph(forward, nodes)
    fields["bg"] = _graph(backward, nodes)
    fields["forwardnodes"] = [nodes[id(node)] for node in forward.topsort()]
    fields["backwardnodes"] = [nodes[id(node)] for node in backward.topsort()]
    fields["innode"] = nodes[id(forward.roots()[0])]
    fields["outnode"] = nodes[id(backward.roots()[0])]
    fields["nInputs"] = module._wired().inputs
    fields["verbose"] = False
    fields["output"] = []
    fields.pop("gradInput", None)


def _node(node: Any) -> Object:
    return Object("nngraph.Node", {"id": node.id, "visited": False, "marked": False})


def _graph(graph: Any, nodes: dict[int, Object]) -> Object:
    edges = [
        Object("graph.Edge", {"from": nodes[id(edge.from_)], "to": nodes[id(edge.to)]})
        for edge in graph.edges
    ]
    held = [nodes[id(node)] for node in graph.nodes]
    return Object("graph.Graph", {"nodes": _indexed(held), "edges": _indexed(edges)})


def _indexed(things: list[Any]) -> Any:
    """Return the table that Torch7 keeps: by position the things, and by thing its position."""
    return Table([*enumerate(things, 1), *((thing, i) for i, thing in enumerate(things, 1))])
