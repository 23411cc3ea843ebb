"""torchlite, as its users write it: parameters flattened once, then the calls of a step."""

import numpy as np

import torchlite as nn
from benchmarks.cases import LEARNING_RATE
from benchmarks.peers import Contender
from torchlite import optim
from torchlite.kernels import blas

CONVOLUTIONS = nn.TemporalConvolution, nn.SpatialConvolution, nn.VolumetricConvolution


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
        layer = getattr(nn, case.layer)(*case.sizes[: case.layer.endswith("Normalization")])
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
        return self._updates(optim.adam, {"learningRate": 1e-3}, material)

    def sgd(self, case, material):
        config = {"learningRate": 1e-3, "momentum": 0.9, "dampening": 0}
        return self._updates(optim.sgd, config, material)

    def _updates(self, method, config, material):
        x, gradient = np.concatenate(material.tensors), np.concatenate(material.gradients)

        def step():
            method(lambda _: (0.0, gradient), x, config)
            return (x,)

        return step

    def windows(self, case, material):
        weights = iter(material.weights)
        net = nn.Sequential(*[self._seeing(layer, weights) for layer in case.layers])
        net.type(self.dtype)
        x, g = material.x, material.g
        # Torch7's sequences have the frames first.
        turned = x.ndim == 3
        if turned:
            x, g = (np.ascontiguousarray(array.swapaxes(1, 2)) for array in (x, g))
        if case.part == "training":
            return self._classify(net, x, g)
        layer = net[0]

        def forward():
            output = layer.forward(x)
            return (output.swapaxes(1, 2) if turned else output,)

        def gradInput():
            found = layer.updateGradInput(x, g)
            return (found.swapaxes(1, 2) if turned else found,)

        def gradWeight():
            layer.zeroGradParameters()
            layer.accGradParameters(x, g)
            return [layer.gradWeight], [layer.gradBias]

        def both():
            net.zeroGradParameters()
            output, found = net.forward(x), net.backward(x, g)
            return output, found if len(net) == 1 else np.linalg.norm(found)

        steps = {"forward": forward, "gradInput": gradInput, "gradWeight": gradWeight}
        return steps.get(case.part, both)

    def sequences(self, case, material):
        net = nn.Sequential()
        for weight, bias in material.weights:
            layer = getattr(nn, f"Seq{case.cell}")(case.width, case.width)
            layer.weight[:], layer.bias[:] = weight, bias
            net.add(layer)
        net.type(self.dtype).getParameters()
        net[0].gradInput = None
        criterion = nn.MSECriterion()
        x, y = material.x, material.y

        def step():
            output = net.forward(x)
            loss = criterion.forward(output, y)
            net.zeroGradParameters()
            net.backward(x, criterion.backward(output, y))
            net.updateParameters(LEARNING_RATE)
            return (loss,) if case.cell == "LSTM" else ()

        return step

    def _classify(self, net, x, y):
        net.add(nn.LogSoftMax())
        net.getParameters()
        net[0].gradInput = None
        criterion = nn.ClassNLLCriterion()

        def step():
            loss = criterion.forward(net.forward(x), y)
            net.zeroGradParameters()
            net.backward(x, criterion.backward(net.output, y))
            net.updateParameters(LEARNING_RATE)
            return (loss,)

        return step

    def _seeing(self, layer, weights):
        kind, *sizes = layer
        if kind == "residual":
            inner = nn.Sequential(*[self._seeing(part, weights) for part in sizes])
            return nn.Sequential(nn.ConcatTable(inner, nn.Identity()), nn.CAddTable())
        if kind == "norm":
            made = nn.SpatialBatchNormalization(*sizes)
            made.weight.fill(1)
            return made
        if kind in ("max", "average"):
            make = nn.SpatialMaxPooling if kind == "max" else nn.SpatialAveragePooling
            size, stride = sizes
            return make(size, size, stride, stride)
        if kind in ("relu", "flatten"):
            return nn.ReLU() if kind == "relu" else nn.View(*sizes).setNumInputDims(3)
        if kind == "linear":
            made = nn.Linear(*sizes)
        elif kind == "depthwise":
            planes, (height, width) = sizes
            made = nn.SpatialDepthWiseConvolution(planes, 1, width, height)
        else:
            planes_in, planes, kernel, stride, padding = sizes
            dims = len(kernel)
            make = CONVOLUTIONS[dims - 1]
            # Torch7 counts a kernel's width before its height, but the time of a volume first.
            order = {1: (0,), 2: (1, 0), 3: (0, 2, 1)}[dims]
            windows = [kernel[i] for i in order], [stride] * dims, [padding] * dims * (dims > 1)
            made = make(planes_in, planes, *windows[0], *windows[1], *windows[2])
        weight, made.bias[:] = next(weights)
        if kind == "convolution" and len(sizes[2]) == 1:
            weight = weight.swapaxes(1, 2)
        made.weight[:] = weight.reshape(made.weight.shape)
        return made


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


HAS_SCIPY = blas.active() == "scipy"
CONTENDERS = [*([WithSciPy] if HAS_SCIPY else []), WithoutSciPy, AllGradients]
ABSENT = {} if HAS_SCIPY else {"SciPy": "without it there is no column torchlite"}
