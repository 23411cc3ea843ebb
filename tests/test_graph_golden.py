"""nngraph and the package graph against the numbers of the real Torch7."""

import golden
import numpy as np
import pytest

from torchlite import nn
from torchlite.errors import StateError
from torchlite.nn.graph import Edge, Graph, Node

CASES = {case["id"]: case for case in golden.cases("graph")}
NETS = [case for case in CASES.values() if case["kind"] == "graph"]
# A parameter that is shared is updated twice there: docs/differences.md.
ONCE = {"gModule_5": ["params2"]}


@pytest.mark.parametrize("case", NETS, ids=lambda case: case["id"])
def test_torch7_agrees(case):
    golden.check({**case, "bug_fields": ONCE.get(case["id"], [])})


def test_what_is_shared_is_updated_once():
    case = CASES["gModule_5"]
    net = golden.build(case)
    x, gradOutput = case["input"], case["gradOutput"]
    net.zeroGradParameters()
    net.forward(x)
    net.backward(x, gradOutput)
    net.accGradParameters(x, gradOutput, 0.5)
    assert len(net.parameters()[0]) == 2
    net.updateParameters(0.1)
    for name in ("h1.weight", "h2.weight", "h1.bias", "h2.bias"):
        before, gradient = case["params"][name], case["gradParams2"][name]
        node, _, attribute = name.partition(".")
        now = getattr(getattr(net, node), attribute)
        assert np.allclose(now, before - 0.1 * gradient, rtol=1e-14, atol=0)
        assert np.allclose(case["params2"][name], before - 0.2 * gradient, rtol=1e-14, atol=0)


@pytest.mark.parametrize("case", NETS, ids=lambda case: case["id"])
def test_the_modules_stand_in_torch7s_order(case):
    net = golden.build(case)
    names = {id(module): name for name, module in net.names.items()}
    order = [names[id(module)] for module in net.net.modules]
    # Those of split(1) and of nest are not named there.
    assert [name for name in order if name in case["module_order"]] == case["module_order"]
    assert f"nn.{net.net!r}" == case["tostring"]
    found = [node.data.module for node in net.net.forwardnodes if node.data.module is not None]
    assert all(one is other for one, other in zip(found, net.net.modules, strict=True))


@pytest.mark.parametrize("name", ["graph_1", "graph_2", "graph_3"])
def test_graphs(name):
    case = CASES[name]
    nodes = {name: Node(name) for edge in case["edges"] for name in edge}
    graph = Graph()
    graph.add([Edge(nodes[a], nodes[b]) for a, b in case["edges"]])

    def names(found):
        return [node.data for node in found]

    assert names(graph.nodes) == case["nodes"]
    assert graph.hasCycle() == case["has_cycle"]
    assert names(graph.roots()) == case["roots"]
    assert names(graph.leaves()) == case["leaves"]
    if "topsort_error" in case:
        with pytest.raises(StateError) as caught:
            graph.topsort()
        assert str(caught.value) == (
            "Graph.topsort: edges must lead in no circle, got a -> b -> c -> a"
        )
        return
    assert names(graph.topsort()) == case["topsort"]
    reverse = graph.reverse()
    assert [[e.from_.data, e.to.data] for e in reverse.edges] == case["reverse_edges"]
    for method in ("bfs", "dfs"):
        found = []
        getattr(graph.roots()[0], method)(found.append)
        assert names(found) == case[f"{method}_from_first_root"]
    assert graph.todot("title") == case["dot"]
    assert nn.graph.dot(graph.clone(), "title") == case["dot"]
