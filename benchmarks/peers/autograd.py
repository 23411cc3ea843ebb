"""autograd: gradients of functions written with its NumPy; the parameters are updated in place."""

import autograd.numpy as np
from autograd import make_vjp, value_and_grad

from benchmarks.cases import LEARNING_RATE
from benchmarks.peers import Contender


def relu(x):
    # The gradient of maximum would be float64, whatever x is; so would that of x**2.
    return x * (x > 0)


def output_of(parameters, x):
    *hidden, (weight, bias) = parameters
    for w, b in hidden:
        x = relu(np.dot(x, w) + b)
    return np.dot(x, weight) + bias


# It has no layers: what NumPy says in one call or so.
LAYERS = {
    "Sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "Tanh": np.tanh,
    "ReLU": relu,
    "SoftPlus": lambda x: np.logaddexp(0, x),
}


class Autograd(Contender):
    name = "autograd"
    package = "autograd"

    def parameters(self, weights):
        return [(weight.T.copy(), bias.copy()) for weight, bias in weights]

    def training(self, case, material):
        parameters, x, y = self.parameters(material.weights), material.x, material.y

        def loss_of(parameters):
            return np.mean(np.square(output_of(parameters, x) - y))

        gradient_of = value_and_grad(loss_of)

        def step():
            loss, gradients = gradient_of(parameters)
            for layer, slopes in zip(parameters, gradients, strict=True):
                for parameter, slope in zip(layer, slopes, strict=True):
                    parameter -= LEARNING_RATE * slope
            return (loss,)

        return step

    def layer(self, case, material):
        function, x, g = LAYERS.get(case.layer), material.x, material.g
        if function is None:
            return None

        def step():
            backward, output = make_vjp(function)(x)
            return output, backward(g)

        return step


CONTENDERS = [Autograd]
