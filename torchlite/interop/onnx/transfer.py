"""Transfer functions in ONNX."""

from typing import Any

from torchlite import nn
from torchlite.interop.onnx.graph import Graph, Value
from torchlite.interop.onnx.rules import Say, rule

__all__: list[str] = []

_OPERATORS = {
    nn.Abs: "Abs",
    nn.Exp: "Exp",
    nn.Log: "Log",
    nn.ReLU: "Relu",
    nn.Sigmoid: "Sigmoid",
    nn.SoftSign: "Softsign",
    nn.Sqrt: "Sqrt",
    nn.Tanh: "Tanh",
}


def operator(op: str) -> Say:
    """Return the rule of a layer that is an operator of ONNX."""
    return lambda g, layer, input, output: g.node(op, input)


for _kind, _op in _OPERATORS.items():
    rule(_kind)(operator(_op))


@rule(nn.AddConstant)
def add_constant(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("Add", input, layer.constant_scalar)


@rule(nn.CReLU)
def crelu(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    halves = g.node("Relu", input), g.node("Relu", g.node("Neg", input))
    return g.node("Concat", *halves, axis=input.ndim - layer.nInputDims)


@rule(nn.ELU)
def elu(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("Elu", input, alpha=float(layer.alpha))


@rule(nn.GatedLinearUnit)
def gated_linear_unit(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    (n,) = output.fixed(layer.dim)
    axis = layer.dim % input.ndim
    gates = g.node("Sigmoid", g.slice(input, axis, n, 2 * n))
    return g.node("Mul", g.slice(input, axis, 0, n), gates)


@rule(nn.HardShrink)
def hard_shrink(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("Shrink", input, lambd=float(layer.lambda_))


@rule(nn.HardTanh)
def hard_tanh(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("Clip", input, layer.min_val, layer.max_val)


@rule(nn.LeakyReLU)
def leaky_relu(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("LeakyRelu", input, alpha=float(layer.negval))


@rule(nn.LogSigmoid)
def log_sigmoid(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("Neg", g.node("Softplus", g.node("Neg", input)))


@rule(nn.LogSoftMax)
def log_soft_max(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("LogSoftmax", input, axis=layer._axis(input))


@rule(nn.MulConstant)
def mul_constant(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("Mul", input, layer.constant_scalar)


@rule(nn.Power)
def power(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("Pow", input, layer.pow)


@rule(nn.PReLU)
def prelu(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("PRelu", input, layer._slopes(input))


@rule(nn.RReLU)
def rrelu(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("LeakyRelu", input, alpha=(layer.lower + layer.upper) / 2)


@rule(nn.SAdd)
def signed_add(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    added = g.node("Add", input, layer.addend)
    return g.node("Neg", added) if layer.negate else added


@rule(nn.SoftMax)
def soft_max(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("Softmax", input, axis=layer._axis(input))


@rule(nn.SoftMin)
def soft_min(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("Softmax", g.node("Neg", input), axis=layer._axis(input))


@rule(nn.SoftPlus)
def soft_plus(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("Div", g.node("Softplus", g.node("Mul", input, layer.beta)), layer.beta)


@rule(nn.SoftShrink)
def soft_shrink(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("Shrink", input, lambd=float(layer.lambda_), bias=float(layer.lambda_))


@rule(nn.Square)
def square(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("Mul", input, input)


@rule(nn.TanhShrink)
def tanh_shrink(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("Sub", input, g.node("Tanh", input))


@rule(nn.Threshold)
def threshold(g: Graph, layer: Any, input: Value, output: Value) -> Any:
    return g.node("Where", g.node("LessOrEqual", input, layer.threshold), layer.val, input)
