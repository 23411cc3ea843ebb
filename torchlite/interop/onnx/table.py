"""Table layers in ONNX."""

from functools import reduce
from typing import Any

from torchlite import nn
from torchlite.interop.onnx.graph import Graph, Value, probe_of
from torchlite.interop.onnx.rules import Say, passing, refused, rule

__all__ = ["unit_rows"]

passing(
    nn.FlattenTable, nn.NarrowTable, nn.SelectTable, nn.ZipTable, nn.ZipTableOneToMany
)  # fmt: skip
refused("a loss is what a network is trained by", nn.CriterionTable)

_OPERATORS = {
    nn.CAddTable: "Sum",
    nn.CDivTable: "Div",
    nn.CMaxTable: "Max",
    nn.CMinTable: "Min",
    nn.CMulTable: "Mul",
    nn.CSubTable: "Sub",
}


def operator(op: str) -> Say:
    """Return the rule of a layer that puts an operator of ONNX between the entries."""

    def say(g: Graph, layer: Any, input: list[Value], output: Value) -> Any:
        if op in ("Sum", "Max", "Min"):
            return g.node(op, *input)
        return reduce(lambda so_far, entry: g.node(op, so_far, entry), input[1:], input[0].name)

    return say


for _kind, _op in _OPERATORS.items():
    rule(_kind)(operator(_op))


@rule(nn.CAddTensorTable)
def add_to_each(g: Graph, layer: Any, input: Any, output: Any) -> Any:
    one, many = input
    return [g.node("Add", one, entry) for entry in many]


@rule(nn.CosineDistance)
def cosine_distance(g: Graph, layer: Any, input: list[Value], output: Value) -> Any:
    a, b = (unit_rows(g, entry) for entry in input)
    return _along_rows(g, "ReduceSum", g.node("Mul", a, b), input)


@rule(nn.DotProduct)
def dot_product(g: Graph, layer: Any, input: list[Value], output: Value) -> Any:
    return _along_rows(g, "ReduceSum", g.node("Mul", *input), input)


@rule(nn.PairwiseDistance)
def pairwise_distance(g: Graph, layer: Any, input: list[Value], output: Value) -> Any:
    difference = g.node("Sub", *input)
    if layer.norm in (1, 2):
        return _along_rows(g, f"ReduceL{layer.norm:.0f}", difference, input)
    powers = g.node("Pow", g.node("Abs", difference), layer.norm)
    return g.node("Pow", _along_rows(g, "ReduceSum", powers, input), 1 / layer.norm)


def _along_rows(g: Graph, op: str, rows: str, input: list[Value]) -> str:
    """Return the name of a number for each row; one sample has one, (1,)."""
    return g.reduce(op, rows, -1, keepdims=input[0].ndim == 1)


def unit_rows(g: Graph, rows: Value) -> str:
    """Return the name of the rows divided by their lengths; one of zeros stays as it is."""
    largest = g.reduce("ReduceMax", g.node("Abs", rows), -1, keepdims=True)
    zero = g.node("Equal", largest, 0.0)
    scaled = g.node("Div", rows, g.node("Where", zero, 1.0, largest))
    length = g.reduce("ReduceL2", scaled, -1, keepdims=True)
    return str(g.node("Div", scaled, g.node("Where", zero, 1.0, length)))


@rule(nn.JoinTable)
def join_table(g: Graph, layer: Any, input: list[Value], output: Value) -> Any:
    return g.node("Concat", *input, axis=layer._axis("updateOutput", [v.probes[0] for v in input]))


@rule(nn.SplitTable)
def split_table(g: Graph, layer: Any, input: Value, output: list[Value]) -> Any:
    axis = input.both(lambda probe: layer._slices("updateOutput", probe)[0])
    return [g.pick(input, axis, i) for i in range(len(output))]


@rule(nn.MixtureTable)
def mixture_table(g: Graph, layer: Any, input: Any, output: Value) -> Any:
    gates, experts = input
    if isinstance(experts, Value):
        _, _, axis = layer._opened("updateOutput", probe_of(input, 0))
        experts = g.run(nn.SplitTable(axis), experts)
    terms = []
    for i, expert in enumerate(experts):
        gate, added = g.pick(gates, -1, i), [*range(gates.ndim - 1, expert.ndim)]
        terms.append(g.node("Mul", g.node("Unsqueeze", gate, added) if added else gate, expert))
    return g.node("Sum", *terms)
