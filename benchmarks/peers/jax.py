"""JAX: every step is one compiled function; parameters that it replaces are donated to it."""

import jax
import jax.numpy as jnp
from jax.example_libraries import optimizers

from benchmarks.cases import LEARNING_RATE
from benchmarks.peers import Contender


def output_of(parameters, x):
    *hidden, (weight, bias) = parameters
    for w, b in hidden:
        x = jax.nn.relu(x @ w + b)
    return x @ weight + bias


LAYERS = {
    "Sigmoid": jax.nn.sigmoid,
    "Tanh": jnp.tanh,
    "ReLU": jax.nn.relu,
    "LeakyReLU": jax.nn.leaky_relu,
    "ELU": jax.nn.elu,
    "SoftPlus": jax.nn.softplus,
    "LogSigmoid": jax.nn.log_sigmoid,
}


class Jax(Contender):
    name = "JAX jit"
    package = "jax"

    def __init__(self, threads, dtype):
        super().__init__(threads, dtype)
        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_enable_x64", dtype == "float64")
        # Every step is waited for: handing it to another thread only costs.
        jax.config.update("jax_cpu_enable_async_dispatch", False)

    def parameters(self, weights):
        return [(jnp.array(weight.T), jnp.array(bias)) for weight, bias in weights]

    def training(self, case, material):
        parameters = self.parameters(material.weights)
        x, y = jnp.array(material.x), jnp.array(material.y)

        def loss_of(parameters, x, y):
            return jnp.mean((output_of(parameters, x) - y) ** 2)

        def updated(parameters, x, y):
            loss, gradients = jax.value_and_grad(loss_of)(parameters, x, y)
            return jax.tree.map(lambda p, g: p - LEARNING_RATE * g, parameters, gradients), loss

        compiled = jax.jit(updated, donate_argnums=0)

        def step():
            nonlocal parameters
            parameters, loss = jax.block_until_ready(compiled(parameters, x, y))
            return (loss,)

        return step

    def forward(self, case, material):
        parameters, x = self.parameters(material.weights), jnp.array(material.x)
        compiled = jax.jit(output_of)
        return lambda: (compiled(parameters, x).block_until_ready(),)

    def layer(self, case, material):
        x, g = jnp.array(material.x), jnp.array(material.g)
        if case.layer == "LookupTable":
            variable, function = jnp.array(material.weight), lambda weight: weight[x]
        elif case.layer in LAYERS:
            variable, function = x, LAYERS[case.layer]
        else:
            return None

        def both(variable, g):
            output, backward = jax.vjp(function, variable)
            return output, *backward(g)

        compiled = jax.jit(both)
        return lambda: jax.block_until_ready(compiled(variable, g))

    def nll(self, case, material):
        x, y = jnp.array(material.x), jnp.array(material.y)

        def loss_of(x, y):
            return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(x), y[:, None], 1))

        compiled = jax.jit(jax.value_and_grad(loss_of))
        return lambda: jax.block_until_ready(compiled(x, y))

    def adam(self, case, material):
        return self._updates(optimizers.adam(1e-3), material)

    def sgd(self, case, material):
        return self._updates(optimizers.momentum(1e-3, 0.9), material)

    def _updates(self, method, material):
        begin, update, get = method
        state = begin([jnp.array(tensor) for tensor in material.tensors])
        gradients = [jnp.array(gradient) for gradient in material.gradients]
        compiled = jax.jit(update, donate_argnums=2)
        steps = 0

        def step():
            nonlocal state, steps
            state = jax.block_until_ready(compiled(steps, gradients, state))
            steps += 1
            return (get(state),)

        return step


CONTENDERS = [Jax]
