"""scikit-learn: MLPRegressor.partial_fit with the whole batch, without shuffling and checks."""

from sklearn import config_context
from sklearn.neural_network import MLPRegressor

from benchmarks.cases import LEARNING_RATE
from benchmarks.peers import Contender


class ScikitLearn(Contender):
    name = "scikit-learn"
    package = "scikit-learn"

    def turn(self):
        return config_context(assume_finite=True, skip_parameter_validation=True)

    def training(self, case, material):
        weights, x, y = material.weights, material.x, material.y
        outputs = case.sizes[-1]
        network = MLPRegressor(
            hidden_layer_sizes=case.sizes[1:-1],
            solver="sgd",
            # It minimises half the squared error summed over the outputs of a sample.
            learning_rate_init=LEARNING_RATE * 2 / outputs,
            momentum=0,
            alpha=0,
            batch_size=len(x),
            shuffle=False,
        )
        y = y if outputs > 1 else y[:, 0]
        # The first call makes the arrays.
        network.partial_fit(x, y)
        for array, (weight, _) in zip(network.coefs_, weights, strict=True):
            array[...] = weight.T
        for array, (_, bias) in zip(network.intercepts_, weights, strict=True):
            array[...] = bias

        def step():
            network.partial_fit(x, y)
            return (2 * network.loss_,)

        return step


CONTENDERS = [ScikitLearn]
