"""PyTorch, in eager mode, with its own optimizers."""

from functools import partial
from typing import ClassVar

import numpy as np
import torch
from torch.nn import functional as F

from benchmarks.cases import LEARNING_RATE
from benchmarks.peers import Contender

LAYERS = {
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
    "ReLU": torch.relu,
    "Threshold": lambda x: F.threshold(x, 1e-6, 0),
    "LeakyReLU": F.leaky_relu,
    "ELU": F.elu,
    "SoftPlus": F.softplus,
    "LogSigmoid": F.logsigmoid,
    "Dropout": F.dropout,
}

NORMALIZATIONS = {
    "BatchNormalization": torch.nn.BatchNorm1d,
    "LayerNormalization": partial(torch.nn.LayerNorm, eps=1e-13),
}

CONVOLUTIONS = torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d


class PyTorch(Contender):
    name = "PyTorch"
    package = "torch"
    options: ClassVar = {}

    def __init__(self, threads, dtype):
        super().__init__(threads, dtype)
        torch.set_num_threads(threads)
        self.type = getattr(torch, dtype)

    def network(self, weights):
        layers = []
        for weight, bias in weights:
            layer = torch.nn.Linear(*weight.shape[::-1], dtype=self.type)
            with torch.no_grad():
                layer.weight.copy_(torch.tensor(weight))
                layer.bias.copy_(torch.tensor(bias))
            layers += [torch.nn.ReLU(), layer]
        return torch.nn.Sequential(*layers[1:])

    def training(self, case, material):
        net, criterion = self.network(material.weights), torch.nn.MSELoss()
        optimizer = torch.optim.SGD(net.parameters(), LEARNING_RATE)
        x, y = torch.tensor(material.x), torch.tensor(material.y)

        def step():
            loss = criterion(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return (loss.detach(),)

        return step

    def forward(self, case, material):
        net, x = self.network(material.weights), torch.tensor(material.x)

        def step():
            with torch.inference_mode():
                return (net(x),)

        return step

    def layer(self, case, material):
        if case.layer == "LookupTable":
            return self._lookup(case, material)
        if case.layer in NORMALIZATIONS:
            layer = NORMALIZATIONS[case.layer](*case.sizes, dtype=self.type)
            parameters = list(layer.parameters())
        else:
            layer, parameters = LAYERS[case.layer], []
        x, g = torch.tensor(material.x, requires_grad=True), torch.tensor(material.g)

        def step():
            for variable in (x, *parameters):
                variable.grad = None
            output = layer(x)
            output.backward(g)
            return output.detach(), x.grad

        return step

    def _lookup(self, case, material):
        layer = torch.nn.Embedding.from_pretrained(torch.tensor(material.weight), freeze=False)
        ids, g = torch.tensor(material.x), torch.tensor(material.g)

        def step():
            layer.weight.grad = None
            output = layer(ids)
            output.backward(g)
            return output.detach(), layer.weight.grad

        return step

    def nll(self, case, material):
        x, y = torch.tensor(material.x, requires_grad=True), torch.tensor(material.y)

        def step():
            x.grad = None
            loss = F.nll_loss(F.log_softmax(x, 1), y)
            loss.backward()
            return loss.detach(), x.grad

        return step

    def adam(self, case, material):
        return self._updates(torch.optim.Adam, material)

    def sgd(self, case, material):
        return self._updates(partial(torch.optim.SGD, momentum=0.9), material)

    def _updates(self, method, material):
        parameters = [torch.nn.Parameter(torch.tensor(tensor)) for tensor in material.tensors]
        for parameter, gradient in zip(parameters, material.gradients, strict=True):
            parameter.grad = torch.tensor(gradient)
        optimizer = method(parameters, lr=1e-3, **self.options)
        values = [parameter.detach() for parameter in parameters]

        def step():
            optimizer.step()
            return (values,)

        return step

    def windows(self, case, material):
        weights = iter(material.weights)
        net = torch.nn.Sequential(*[self._seeing(layer, weights) for layer in case.layers])
        x, g = torch.tensor(material.x), torch.tensor(material.g)
        if case.part == "training":
            return self._classify(net, x, g)
        if case.part == "both":
            x.requires_grad_()
            variables = [x, *net.parameters()]

            def both():
                for variable in variables:
                    variable.grad = None
                output = net(x)
                output.backward(g)
                return output.detach(), x.grad if len(net) == 1 else x.grad.norm()

            return both
        layer = net[0]
        weight = layer.weight.detach()

        def backward(*wanted):
            return torch.ops.aten.convolution_backward(
                g,
                x,
                weight,
                [len(weight)],
                layer.stride,
                layer.padding,
                layer.dilation,
                False,
                [0] * len(layer.stride),
                layer.groups,
                wanted,
            )

        def forward():
            with torch.inference_mode():
                return (layer(x),)

        def gradInput():
            return (backward(True, False, False)[0],)

        def gradWeight():
            _, found, bias = backward(False, True, True)
            # In the order of torchlite's, whatever the shape.
            found = found.transpose(1, 2) if x.ndim == 3 else found
            return [found.contiguous()], [bias]

        return {"forward": forward, "gradInput": gradInput, "gradWeight": gradWeight}[case.part]

    def sequences(self, case, material):
        make, width = getattr(torch.nn, case.cell), case.width
        net = make(width, width, case.layers, dtype=self.type)
        with torch.no_grad():
            for layer, (weight, bias) in enumerate(material.weights):
                if case.cell == "LSTM":
                    # Its columns are i, f, o, z, PyTorch's rows i, f, z, o.
                    weight, bias = (
                        np.concatenate(
                            [array[..., block * width :][..., :width] for block in (0, 1, 3, 2)], -1
                        )
                        for array in (weight, bias)
                    )
                given = weight[:width].T, weight[width:].T, bias, 0 * bias
                for own, values in zip(net.all_weights[layer], given, strict=True):
                    own.copy_(torch.tensor(values))
                # Otherwise the sum of the two biases would take two steps for one.
                net.all_weights[layer][3].requires_grad_(False)
        criterion = torch.nn.MSELoss()
        optimizer = torch.optim.SGD(net.parameters(), LEARNING_RATE)
        x, y = torch.tensor(material.x), torch.tensor(material.y)

        def step():
            loss = criterion(net(x)[0], y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return (loss.detach(),) if case.cell == "LSTM" else ()

        return step

    def _classify(self, net, x, y):
        optimizer = torch.optim.SGD(net.parameters(), LEARNING_RATE)

        def step():
            loss = F.cross_entropy(net(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return (loss.detach(),)

        return step

    def _seeing(self, layer, weights):
        kind, *sizes = layer
        if kind == "residual":
            return Residual(*[self._seeing(part, weights) for part in sizes])
        if kind == "norm":
            return torch.nn.BatchNorm2d(*sizes, dtype=self.type)
        if kind in ("max", "average"):
            return (torch.nn.MaxPool2d if kind == "max" else torch.nn.AvgPool2d)(*sizes)
        if kind in ("relu", "flatten"):
            return torch.nn.ReLU() if kind == "relu" else torch.nn.Flatten()
        if kind == "linear":
            made = torch.nn.Linear(*sizes, dtype=self.type)
        elif kind == "depthwise":
            planes, kernel = sizes
            made = torch.nn.Conv2d(planes, planes, kernel, groups=planes, dtype=self.type)
        else:
            make = CONVOLUTIONS[len(sizes[2]) - 1]
            made = make(*sizes, dtype=self.type)
        with torch.no_grad():
            for own, given in zip((made.weight, made.bias), next(weights), strict=True):
                own.copy_(torch.tensor(given))
        return made


class Residual(torch.nn.Sequential):
    """Adds what its layers find to what came in."""

    def forward(self, x):
        return super().forward(x) + x


class Foreach(PyTorch):
    name = "PyTorch, foreach"
    works = "adam", "sgd"
    options: ClassVar = {"foreach": True}


class Fused(PyTorch):
    name = "PyTorch, fused"
    works = "adam", "sgd"
    options: ClassVar = {"fused": True}


CONTENDERS = [PyTorch, Foreach, Fused]
