"""Feedback alignment: the way back is not the gradient's, and yet the network learns.

Through a Linear, the gradient comes back as gradOutput @ weight. But how should a brain have its
weights a second time, for the way back? It can do without: a fixed random matrix in the place of
the weight will do, because the weights learn to fit it. (Lillicrap, Cownden, Tweed and Akerman:
Random synaptic feedback weights support error backpropagation for deep learning, 2016.)

Where layers are called one by one, that is another line of the program. Three copies of a network
learn from the same images; through their upper layers goes back

    backprop      gradOutput @ weight: the gradient
    feedback      gradOutput @ random matrix
    last layer    gradOutput @ zeros: nothing, so that only the last layer learns

    python examples/feedback_alignment.py
"""

import argparse

import numpy as np

import torchlite as nn
from torchlite import random
from torchlite.datasets import digits, minibatches


def backward(net, gradOutput, matrices):
    """Do what net.backward does, but go back through some layers by a matrix of their own.

    Return what arrives at the first layer.
    """
    for i in range(len(net) - 1, 0, -1):
        layer, input = net[i], net.activations[i]
        layer.accGradParameters(input, gradOutput)
        if layer in matrices:
            gradOutput = gradOutput @ matrices[layer]
        else:
            gradOutput = layer.updateGradInput(input, gradOutput)
    # Nobody needs the gradient of the images.
    net[0].accGradParameters(net.activations[0], gradOutput)
    return gradOutput


def degrees(a, b):
    """The angle between two arrays."""
    return np.degrees(np.arccos((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b)))


parser = argparse.ArgumentParser(description="Train a network by random feedback.")
parser.add_argument("--epochs", type=int, default=20, help="default: 20")
parser.add_argument("--seed", type=int, default=0, help="of the random numbers; default: 0")
args = parser.parse_args()

x_train, y_train, x_test, y_test = digits()
nn.manualSeed(args.seed)
backprop = nn.Sequential(
    nn.Linear(64, 30), nn.Tanh(), nn.Linear(30, 30), nn.Tanh(), nn.Linear(30, 10), nn.LogSoftMax()
)
feedback, last_layer = backprop.clone(), backprop.clone()
at_random = {
    layer: random.uniform(-0.2, 0.2, size=layer.weight.shape)
    for layer in (feedback[2], feedback[4])
}
zeros = {layer: np.zeros_like(layer.weight) for layer in (last_layer[2], last_layer[4])}
ways = ((backprop, {}), (feedback, at_random), (last_layer, zeros))
criterion = nn.ClassNLLCriterion()

print(backprop)
print("Test images read right, in %; degrees between the feedback and the gradient:")
print("epoch  backprop  feedback  last layer  angle")
for epoch in range(1, args.epochs + 1):
    for x, y in minibatches(x_train, y_train, 10):
        for net, matrices in ways:
            net.zeroGradParameters()
            backward(net, criterion.updateGradInput(net.forward(x), y), matrices)
            net.updateParameters(0.1)

    right = [100 * (net.forward(x_test).argmax(axis=1) == y_test).mean() for net, _ in ways]
    gradOutput = criterion.updateGradInput(feedback.output, y_test)
    angle = degrees(backward(feedback, gradOutput, at_random), backward(feedback, gradOutput, {}))
    print("{:5}  {:8.1f}  {:8.1f}  {:10.1f}  {:5.0f}".format(epoch, *right, angle))
