"""Networks as they are drawn: the tree of modules, and inside a gModule which leads to which."""

from typing import Any

from torchlite.errors import printable
from torchlite.nn import checks
from torchlite.nn.containers.sequential import Sequential
from torchlite.nn.graph.g_module import gModule
from torchlite.nn.module import Module
from torchlite.nn.tree import Place, walk

__all__ = ["INPUT", "columns", "graphs", "lines", "tree"]

WIDTH = 100
# Where edges come from; they end at positions of modules, and at the number of these, the output.
INPUT = -1


def tree(net: Module) -> dict[str, Any]:
    """Return the tree of modules; of a gModule with its edges: [from, to, which entry].

    What `annotate` calls a node stands before its layer: "hidden: Tanh".
    """
    nodes: dict[str, dict[str, Any]] = {}
    for place in walk(net):
        module = place.module
        if isinstance(module, Module):
            around = [nodes[outer.path] for outer in place.around[:-1] if outer.path in nodes]
            nodes[place.path] = {
                "position": f"net{place.path}",
                "layer": _annotated(place) + checks.title(module),
                "kind": "layer",
                "modules": [],
            }
            if isinstance(module, gModule):
                nodes[place.path].update(kind="graph", edges=[list(edge) for edge in module.edges])
            if around:
                around[-1]["modules"].append(nodes[place.path])
                if around[-1]["kind"] != "graph":
                    row = isinstance(place.outer and place.outer.module, Sequential)
                    around[-1]["kind"] = "row" if row else "branches"
    return nodes[""]


def _annotated(place: Place) -> str:
    around = place.outer and place.outer.module
    for node in around.nodes if isinstance(around, gModule) else ():
        if place.step == f"[{node['module']}]" and node["annotations"].get("name") is not None:
            return f"{node['annotations']['name']}: "
    return ""


def graphs(network: Any) -> list[dict[str, Any]]:
    """Return what is drawn as a graph in a tree, outer ones first."""
    found, waiting = [], [network]
    while waiting:
        part = waiting.pop()
        if part is not None:
            if part["kind"] == "graph":
                found.append(part)
            waiting += part["modules"][::-1]
    return found


def columns(edges: list[Any], count: int) -> list[list[Any]]:
    """Return what stands in each column, from the input to the output, from top to bottom.

    A whole number is a module (-1 the input, count the output), which stands behind all that leads
    to it; a list of the number of an edge is where this edge passes that leads farther than to the
    next column. Each entry stands as high as those that lead to it, in the mean.

    Example
    -------
    >>> columns([[-1, 0, ""], [0, 1, ""], [0, 2, ""], [1, 2, ""]], 2)
    [[-1], [0], [1, [2]], [2]]
    """
    depth = dict.fromkeys(range(INPUT, count + 1), 0)
    for source, target, _ in sorted(edges, key=lambda edge: edge[1]):
        depth[target] = max(depth[target], depth[source] + 1)
    depth[count] = max(depth.values())
    # For each entry of a column those in the column before that lead to it.
    before: list[dict[Any, list[Any]]] = [{} for _ in range(depth[count] + 1)]
    for node, column in depth.items():
        before[column][node] = []
    for number, (source, target, _) in enumerate(edges):
        way = [source]
        for column in range(depth[source] + 1, depth[target]):
            before[column][number, column] = [way[-1]]
            way.append((number, column))
        before[depth[target]][target].append(way[-1])
    height: dict[Any, float] = {}
    drawn: list[list[Any]] = []
    for entries in before:
        mean = {
            entry: sum(height[one] for one in leading) / max(len(leading), 1)
            for entry, leading in entries.items()
        }
        order = sorted(entries, key=mean.__getitem__)
        height.update({entry: i - len(order) / 2 for i, entry in enumerate(order)})
        drawn.append([one if isinstance(one, int) else [one[0]] for one in order])
    return drawn


def lines(graph: dict[str, Any]) -> list[str]:
    r"""Return a gModule drawn from left to right: the longest way, then those that leave it.

    Each module is named where it is met first, and by its number from then on. If the longest way
    fits into a line, what begins or ends on it stands beneath.

    Example
    -------
    >>> import torchlite as nn
    >>> x = nn.Identity()()
    >>> h = nn.ReLU()(nn.Linear(3, 3)(x)).annotate(name="h")
    >>> net = nn.gModule([x], [nn.CAddTable()([x, h])])
    >>> print("\n".join(lines(tree(net))))
    input -> (0) Identity -> (1) Linear(3 -> 3) -> (2) h: ReLU -> (3) CAddTable -> output
             (0) -----------------------------------------------> (3)
    """
    count = len(graph["modules"])
    names = {INPUT: "input", count: "output"}
    names |= {i: f"({i}) {part['layer']}" for i, part in enumerate(graph["modules"])}
    leading: dict[int, list[Any]] = {node: [] for node in names}
    for edge in graph["edges"]:
        leading[edge[0]].append(edge)
    ahead = dict.fromkeys(names, 0)
    for node in range(count - 1, -2, -1):
        ahead[node] = 1 + max((ahead[target] for _, target, _ in leading[node]), default=0)
    # Where the names of the nodes on the longest way stand.
    where: dict[int, int] = {}
    met = {INPUT}
    drawn: list[str] = []
    for start in range(-1, count):
        while leading[start]:
            pieces, way = [f"({start})" if start >= 0 and drawn else names[start]], [start]
            while leading[way[-1]]:
                edge = max(leading[way[-1]], key=lambda edge: ahead[edge[1]])
                leading[way[-1]].remove(edge)
                _, target, entry = edge
                pieces.append(f"-{entry}-> " if entry else "-> ")
                new = target not in met
                pieces.append(names[target] if new or target == count else f"({target})")
                met.add(target)
                way.append(target)
                if not new:
                    break
            drawn.append(_line(pieces, way, where, first=not drawn))
    return [printable(line) for text in drawn for line in text.split("\n")]


def _line(pieces: list[str], way: list[int], where: dict[int, int], first: bool) -> str:
    """Return a way, beneath where it begins and ends on the first, if it fits."""
    start, *rest = pieces
    text = start
    begins = [0]
    for arrow, name in zip(rest[::2], rest[1::2], strict=True):
        text += f" {arrow}"
        begins.append(len(text))
        text += name
    if len(text) > WIDTH:
        where.clear()
        wrapped = [start]
        for arrow, name in zip(rest[::2], rest[1::2], strict=True):
            if len(wrapped[-1]) + len(arrow) + len(name) < WIDTH:
                wrapped[-1] += f" {arrow}{name}"
            else:
                wrapped.append(f"    {arrow}{name}")
        return "\n".join(wrapped)
    if first:
        where.update(zip(way, begins, strict=True))
        return text
    if way[0] in where and way[-1] in where:
        *before, arrow, last = pieces
        left = " " * where[way[0]] + " ".join(piece.rstrip() for piece in before)
        room = where[way[-1]] - len(left) - len(arrow) - 1
        if room >= 0:
            return f"{left} {'-' * room}{arrow}{last}"
    beneath = " " * where.get(way[0], 0) + text
    return beneath if len(beneath) <= WIDTH else text
