"""tinygrad, on the processor, every step recorded once and replayed by its TinyJit."""

import os
import shutil
from functools import partial

if shutil.which("clang") is None:
    raise ImportError("tinygrad compiles for the processor by clang, which is not on the path")
os.environ["DEV"] = "CPU"

from tinygrad import Context, Device, Tensor, TinyJit
from tinygrad import nn as tiny
from tinygrad.helpers import DEFAULT_FLOAT

from benchmarks.cases import LEARNING_RATE
from benchmarks.peers import Contender

LAYERS = {
    "Sigmoid": Tensor.sigmoid,
    "Tanh": Tensor.tanh,
    "ReLU": Tensor.relu,
    "LeakyReLU": Tensor.leaky_relu,
    "ELU": Tensor.elu,
    "SoftPlus": Tensor.softplus,
    "LogSigmoid": Tensor.logsigmoid,
    "Dropout": Tensor.dropout,
}


class Tinygrad(Contender):
    name = "tinygrad"
    package = "tinygrad"

    def __init__(self, threads, dtype):
        super().__init__(threads, dtype)
        DEFAULT_FLOAT.value = dtype

    def turn(self):
        return Context(TRAINING=1)

    def network(self, weights):
        layers = []
        for weight, bias in weights:
            layer = tiny.Linear(*weight.shape[::-1])
            layer.weight, layer.bias = Tensor(weight), Tensor(bias)
            layers += [Tensor.relu, layer]
        return layers[1:]

    def waited(self, function):
        """The function as a step: recorded, replayed, and waited for."""
        jitted = TinyJit(function)

        def step():
            found = jitted()
            Device[Device.DEFAULT].synchronize()
            return found

        return step

    def training(self, case, material):
        layers, x, y = self.network(material.weights), Tensor(material.x), Tensor(material.y)
        optimizer = tiny.optim.SGD(tiny.state.get_parameters(layers), LEARNING_RATE)

        def step():
            loss = ((x.sequential(layers) - y) ** 2).mean()
            optimizer.zero_grad()
            x.grad = y.grad = None
            loss.backward()
            return (loss.realize(*optimizer.schedule_step()),)

        return self.waited(step)

    def forward(self, case, material):
        layers, x = self.network(material.weights), Tensor(material.x)
        return self.waited(lambda: (x.sequential(layers).realize(),))

    def layer(self, case, material):
        x, g = Tensor(material.x), Tensor(material.g)
        if case.layer == "BatchNormalization":
            layer = tiny.BatchNorm(*case.sizes)
            variables = [x, layer.weight, layer.bias]
            running = [layer.running_mean, layer.running_var]
        elif case.layer in LAYERS:
            layer, variables, running = LAYERS[case.layer], [x], []
        else:
            # Its Embedding looks for every id in every row: half a minute.
            return None

        def step():
            output = layer(x)
            gradients = output.gradient(*variables, gradient=g)
            Tensor.realize(output, *gradients, *running)
            return output, gradients[0]

        return self.waited(step)

    def nll(self, case, material):
        x, y = Tensor(material.x), Tensor(material.y)

        def step():
            loss = x.log_softmax().nll_loss(y)
            return loss, loss.gradient(x)[0].realize(loss)

        return self.waited(step)

    def adam(self, case, material):
        return self._updates(tiny.optim.Adam, material)

    def sgd(self, case, material):
        return self._updates(partial(tiny.optim.SGD, momentum=0.9), material)

    def _updates(self, method, material):
        parameters = [Tensor(tensor) for tensor in material.tensors]
        gradients = [Tensor(gradient) for gradient in material.gradients]
        optimizer = method(parameters, 1e-3)

        def step():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = gradient
            optimizer.step()
            return (parameters,)

        return self.waited(step)


CONTENDERS = [Tinygrad]
