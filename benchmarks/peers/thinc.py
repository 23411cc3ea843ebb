"""thinc, on its NumPy operations."""

import numpy as np
from thinc.api import SGD, Dropout, Embed, Linear, Relu, chain
from thinc.layers.sigmoid_activation import sigmoid_activation

from benchmarks.cases import LEARNING_RATE
from benchmarks.peers import Contender


class Thinc(Contender):
    name = "thinc"
    package = "thinc"
    dtypes = ("float32",)
    all_gradients = True

    def network(self, weights):
        *hidden, last = (weight.shape for weight, _ in weights)
        layers = [*(Relu(*shape) for shape in hidden), Linear(*last)]
        network = (chain(*layers) if hidden else layers[0]).initialize()
        for layer, (weight, bias) in zip(layers, weights, strict=True):
            layer.set_param("W", weight.copy())
            layer.set_param("b", bias.copy())
        return network

    def training(self, case, material):
        network, x, y = self.network(material.weights), material.x, material.y
        optimizer = SGD(LEARNING_RATE, L2=0, grad_clip=0, use_averages=False)

        def step():
            output, backward = network.begin_update(x)
            difference = output - y
            loss = np.mean(difference**2)
            backward((2 / y.size) * difference)
            network.finish_update(optimizer)
            return (loss,)

        return step

    def forward(self, case, material):
        network, x = self.network(material.weights), material.x
        return lambda: (network.predict(x),)

    def layer(self, case, material):
        x, g = material.x, material.g
        if case.layer == "LookupTable":
            return self._lookup(case, material)
        if case.layer == "Sigmoid":
            layer = sigmoid_activation()
        elif case.layer == "Dropout":
            layer = Dropout(0.5)
        else:
            return None

        def step():
            output, backward = layer.begin_update(x)
            return output, backward(g)

        return step

    def _lookup(self, case, material):
        rows, columns = case.sizes
        layer = Embed(columns, rows).initialize()
        layer.set_param("E", material.weight.copy())

        def step():
            if layer.has_grad("E"):
                layer.get_grad("E").fill(0)
            output, backward = layer.begin_update(material.x)
            backward(material.g)
            return output, layer.get_grad("E")

        return step


CONTENDERS = [Thinc]
