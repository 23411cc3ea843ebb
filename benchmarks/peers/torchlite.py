"""torchlite, as its users write it: parameters flattened once, then the calls of a step."""

import numpy as np

import torchlite as nn
from benchmarks.cases import LEARNING_RATE
from benchmarks.peers import Contender
from torchlite import optim
from torchlite.kernels import blas


class WithSciPy(Contender):
    name = "torchlite"
    package = "scipy"
    backend = "scipy"

    def turn(self):
        return blas.using(self.backend)

    def network(self, weights):
        """Linear layers of these weights and biases, with a ReLU between each two of them."""
        net = nn.Sequential()
        for weight, bias in weights:
            if len(net):
                net.add(nn.ReLU())
            layer = nn.Linear(*weight.shape[::-1])
            layer.weight[:], layer.bias[:] = weight, bias
            net.add(layer)
        net.type(self.dtype).getParameters()
        return net

    def training(self, case, material):
        net, criterion = self.network(material.weights), nn.MSECriterion()
        if not self.all_gradients:
            net[0].gradInput = None
        x, y = material.x, material.y

        def step():
            output = net.forward(x)
            loss = criterion.forward(output, y)
            net.zeroGradParameters()
            net.backward(x, criterion.backward(output, y))
            net.updateParameters(LEARNING_RATE)
            return (loss,)

        return step

    def forward(self, case, material):
        net, x = self.network(material.weights), material.x
        return lambda: (net.forward(x),)

    def layer(self, case, material):
        if case.layer == "LookupTable":
            return self._lookup(case, material)
        layer = getattr(nn, case.layer)(*case.sizes[: case.layer == "BatchNormalization"])
        if layer.weight is not None:
            layer.weight.fill(1)
        layer.type(self.dtype)
        x, g = material.x, material.g

        def step():
            layer.zeroGradParameters()
            return layer.forward(x), layer.backward(x, g)

        return step

    def _lookup(self, case, material):
        layer = nn.LookupTable(*case.sizes).type(self.dtype)
        layer.weight[:] = material.weight
        ids, g = material.x, material.g

        def step():
            layer.zeroGradParameters()
            output = layer.forward(ids)
            layer.backward(ids, g)
            return output, layer.gradWeight

        return step

    def nll(self, case, material):
        layer, criterion = nn.LogSoftMax(), nn.ClassNLLCriterion()
        x, y = material.x, material.y

        def step():
            output = layer.forward(x)
            loss = criterion.forward(output, y)
            return loss, layer.backward(x, criterion.backward(output, y))

        return step

    def adam(self, case, material):
        x, gradient = np.concatenate(material.tensors), np.concatenate(material.gradients)
        config = {"learningRate": 1e-3}

        def step():
            optim.adam(lambda _: (0.0, gradient), x, config)
            return (x,)

        return step


class WithoutSciPy(WithSciPy):
    name = "without SciPy"
    package = "numpy"
    backend = "numpy"


class AllGradients(WithSciPy):
    """For the peers that compute the gradient of the network's input, too."""

    name = "all gradients"
    package = "numpy"
    backend = blas.active()
    works = ("training",)
    all_gradients = True


CONTENDERS = [*([WithSciPy] if blas.active() == "scipy" else []), WithoutSciPy, AllGradients]
