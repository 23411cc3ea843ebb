"""Torch7's package graph: nodes, edges, and the orders in which one may walk through them."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from torchlite.errors import DTypeError, StateError, fault

__all__ = ["Edge", "Graph", "Node", "depth_first"]


class Node:
    """Something in a graph, and the nodes that edges lead to from there.

    Attributes
    ----------
    data
        Whatever it stands for. A graph and its reverse have other nodes of the same data.
    children
        The nodes that edges lead to, in the order in which they were added, each once.
    id
        Its number in the graph that it was added to last; they count from 1, as Torch7 draws them.

    Example
    -------
    >>> a, b, c = Node("a"), Node("b"), Node("c")
    >>> a.add([b, c]), b.add(c)
    (None, None)
    >>> a.bfs(lambda node: print(node.data))
    a
    b
    c
    >>> a.dfs(lambda node: print(node.data))
    c
    b
    a

    Reference
    ---------
    Torch7, graph/Node.lua.
    """

    def __init__(self, data: Any = None) -> None:
        self.data = data
        self.children: list[Node] = []
        self.id = 0

    def add(self, child: Any) -> None:
        """Let an edge lead to a node, or to each node of a list, unless there is one already."""
        nodes = child if isinstance(child, (list, tuple)) else [child]
        for node in nodes:
            if not isinstance(node, Node):
                where = f"{type(self).__name__}.add"
                raise fault(DTypeError, where, "child", "a Node, or a list", type(node).__name__)
        for node in nodes:
            if not any(known is node for known in self.children):
                self.children.append(node)

    def visit(
        self,
        before: Callable[["Node"], Any] | None = None,
        after: Callable[["Node"], Any] | None = None,
    ) -> None:
        """Walk in depth first, and call before on the way in, after on the way out of each node."""
        depth_first([self], _children, after or _nothing, before or _nothing)

    def dfs(self, function: Callable[["Node"], Any]) -> None:
        """Call function on every node that can be reached, each after those beneath it."""
        self.visit(after=function)

    def bfs(self, function: Callable[["Node"], Any]) -> None:
        """Call function on every node that can be reached, the nearest first."""
        met, waiting = {id(self)}, deque([self])
        while waiting:
            node = waiting.popleft()
            function(node)
            for child in node.children:
                if id(child) not in met:
                    met.add(id(child))
                    waiting.append(child)

    def hasCycle(self) -> bool:
        """Tell whether edges lead in a circle anywhere from here on."""
        return bool(depth_first([self], _children, _nothing))

    def graph(self) -> "Graph":
        """Return the graph of all nodes that can be reached."""
        made = Graph()
        self.bfs(lambda node: made.add([Edge(node, child) for child in node.children]))
        return made

    def label(self) -> str:
        """Return what a drawing writes beneath the name."""
        return str(self.data)

    def graphNodeName(self) -> str:
        """Return the name that a drawing gives it."""
        return f"Node{self.id}"

    def graphNodeAttributes(self) -> dict[str, Any]:
        """Return more of Graphviz's attributes, by name."""
        return {}

    def _again(self) -> "Node":
        """Return a node of the same data."""
        return type(self)(self.data)

    def __repr__(self) -> str:
        return f"{self.graphNodeName()}: {self.label()}"


class Edge:
    """A way from a node to another.

    Attributes
    ----------
    from_, to
        The nodes.
    """

    def __init__(self, from_: Node, to: Node) -> None:
        for name, node in (("from_", from_), ("to", to)):
            if not isinstance(node, Node):
                raise fault(DTypeError, "Edge", name, "a Node", type(node).__name__)
        self.from_ = from_
        self.to = to

    def __repr__(self) -> str:
        return f"Edge({self.from_!r} -> {self.to!r})"


class Graph:
    r"""Nodes and edges.

    Attributes
    ----------
    nodes, edges
        Lists, in the order in which they were added; a node is added with its first edge.

    Example
    -------
    >>> a, b, c = Node("a"), Node("b"), Node("c")
    >>> net = Graph()
    >>> net.add([Edge(a, b), Edge(b, c), Edge(a, c)])
    >>> [node.data for node in net.topsort()], net.hasCycle()
    (['a', 'b', 'c'], False)
    >>> net.roots()[0] is a, net.leaves()[0] is c
    (True, True)
    >>> print(net.todot("three"))
    digraph G {
    labelloc="t";
    label="three";
    node [shape = oval];
    n1[label="Node1\na"];
    n2[label="Node2\nb"];
    n3[label="Node3\nc"];
    n1 -> n2;
    n2 -> n3;
    n1 -> n3;
    }

    Reference
    ---------
    Torch7, graph/Graph.lua.
    """

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.edges: list[Edge] = []
        self._known: set[int] = set()

    def add(self, edge: Any) -> None:
        """Add an edge, or each edge of a list, and the nodes at both ends."""
        edges = edge if isinstance(edge, (list, tuple)) else [edge]
        for one in edges:
            if not isinstance(one, Edge):
                got = type(one).__name__
                raise fault(DTypeError, "Graph.add", "edge", "an Edge, or a list of them", got)
        for one in edges:
            if id(one) not in self._known:
                self._known.add(id(one))
                self.edges.append(one)
            for node in (one.from_, one.to):
                if id(node) not in self._known:
                    self._known.add(id(node))
                    self.nodes.append(node)
                    node.id = len(self.nodes)
            one.from_.add(one.to)

    def clone(self) -> "Graph":
        """Return a graph of new nodes with the same data."""
        return self._again(lambda edge: (edge.from_, edge.to))

    def reverse(self) -> "Graph":
        """Return a graph of new nodes with the same data, in which edges lead the other way."""
        return self._again(lambda edge: (edge.to, edge.from_))

    def _again(self, ends: Callable[[Edge], tuple[Node, Node]]) -> "Graph":
        made: dict[int, Node] = {}
        again = Graph()
        for edge in self.edges:
            for node in (edge.from_, edge.to):
                made.setdefault(id(node), node._again())
            from_, to = ends(edge)
            again.add(Edge(made[id(from_)], made[id(to)]))
        return again

    def roots(self) -> list[Node]:
        """Return the nodes that no edge leads to."""
        reached = {id(edge.to) for edge in self.edges}
        return [node for node in self.nodes if id(node) not in reached]

    def leaves(self) -> list[Node]:
        """Return the nodes from which no edge leads on."""
        left = {id(edge.from_) for edge in self.edges}
        return [node for node in self.nodes if id(node) not in left]

    def topsort(self) -> list[Node]:
        """Return the nodes in an order in which every edge leads ahead.

        Raises
        ------
        StateError
            Edges lead in a circle.
        """
        before = self._neighbours(lambda edge: (edge.to, edge.from_))
        order: list[Node] = []
        circle = depth_first(self.leaves() + self.nodes, before.__getitem__, order.append)
        if circle:
            raise StateError(
                f"Graph.topsort: edges must lead in no circle, got "
                f"{' -> '.join(node.label() for node in [circle[0], *circle[:0:-1], circle[0]])}",
                layer=self,
                method="topsort",
            )
        return order

    def hasCycle(self) -> bool:
        """Tell whether edges lead in a circle."""
        after = self._neighbours(lambda edge: (edge.from_, edge.to))
        return bool(depth_first(self.nodes, after.__getitem__, _nothing))

    def _neighbours(self, ends: Callable[[Edge], tuple[Node, Node]]) -> dict[Node, list[Node]]:
        """Return for each node those at the other end of its edges, in the order of these."""
        found: dict[Node, list[Node]] = {node: [] for node in self.nodes}
        for edge in self.edges:
            one, other = ends(edge)
            found[one].append(other)
        return found

    def todot(self, title: str | None = None) -> str:
        """Return the graph as text in the language of Graphviz."""
        lines = ["digraph G {"]
        if title is not None:
            lines += ['labelloc="t";', f"label={_quoted(title)};"]
        lines.append("node [shape = oval]; ")
        names = {}
        for number, node in enumerate(self.nodes, 1):
            names[node] = f"n{number}"
            attributes = {"label": f"{node.graphNodeName()}\n{node.label()}"}
            attributes.update(node.graphNodeAttributes())
            said = ", ".join(
                f"{name if str(name).isidentifier() else _quoted(name)}={_quoted(value)}"
                for name, value in attributes.items()
            )
            lines.append(f"{names[node]}[{said}];")
        lines += [f"{names[edge.from_]} -> {names[edge.to]};" for edge in self.edges]
        return "\n".join([*lines, "}"])


def _nothing(node: Node) -> None:
    pass


def depth_first(
    roots: Iterable[Any],
    following: Callable[[Any], Iterable[Any]],
    after: Callable[[Any], Any],
    before: Callable[[Any], Any] = _nothing,
) -> list[Any]:
    """Walk in depth first from each root; return the first circle that was met, or nothing.

    The last of a circle leads to its first. before is called on the way in, after on the way out.

    Example
    -------
    >>> order = []
    >>> depth_first([1], {1: [2, 3], 2: [3], 3: []}.__getitem__, order.append), order
    ([], [3, 2, 1])
    """
    circle: list[Any] = []
    met: set[int] = set()
    # The way from the root to where we are, and what is still to be visited from there.
    way: list[tuple[Any, Iterator[Any]]] = []
    inside: set[int] = set()

    def enter(node: Any) -> None:
        met.add(id(node))
        inside.add(id(node))
        before(node)
        way.append((node, iter(following(node))))

    for root in roots:
        if id(root) not in met:
            enter(root)
        while way:
            node, rest = way[-1]
            child = next(rest, None)
            if child is None:
                way.pop()
                inside.discard(id(node))
                after(node)
            elif id(child) not in met:
                enter(child)
            elif id(child) in inside and not circle:
                passed = [one for one, _ in way]
                circle = passed[[one is child for one in passed].index(True) :]
    return circle


def _children(node: Node) -> list[Node]:
    return node.children


def _quoted(text: Any) -> str:
    """Return a text as Graphviz has it between quotation marks."""
    escaped = str(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped.replace(chr(10), chr(92) + "n")}"'
