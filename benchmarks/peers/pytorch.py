"""PyTorch, in eager mode, with its own optimizers."""

from typing import ClassVar

import torch
from torch.nn import functional as F

from benchmarks.cases import LEARNING_RATE
from benchmarks.peers import Contender

LAYERS = {
    "Sigmoid": torch.sigmoid,
    "Tanh": torch.tanh,
    "ReLU": torch.relu,
    "ELU": F.elu,
    "SoftPlus": F.softplus,
    "Dropout": F.dropout,
}


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
        if case.layer == "BatchNormalization":
            layer = torch.nn.BatchNorm1d(*case.sizes, dtype=self.type)
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
        parameters = [torch.nn.Parameter(torch.tensor(tensor)) for tensor in material.tensors]
        for parameter, gradient in zip(parameters, material.gradients, strict=True):
            parameter.grad = torch.tensor(gradient)
        optimizer = torch.optim.Adam(parameters, lr=1e-3, **self.options)
        values = [parameter.detach() for parameter in parameters]

        def step():
            optimizer.step()
            return (values,)

        return step


class Foreach(PyTorch):
    name = "PyTorch, foreach"
    works = ("adam",)
    options: ClassVar = {"foreach": True}


class Fused(PyTorch):
    name = "PyTorch, fused"
    works = ("adam",)
    options: ClassVar = {"fused": True}


CONTENDERS = [PyTorch, Foreach, Fused]
