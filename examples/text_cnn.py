"""A convolution over words finds who is praised: what counts is which words stand together.

The program writes sentences such as "the soup was not bad but the waiter was never kind": two
clauses, each of one thing and one judgement, half of them negated. The network is to say whether
the food is praised, the service, both or neither. The same words make all four, so a bag of words
cannot tell; a window of a few words that moves along the sentence can.
(Kim: Convolutional neural networks for sentence classification, 2014.)

    python examples/text_cnn.py
"""

import argparse

import numpy as np

import torchlite as nn
from torchlite import optim, random
from torchlite.datasets import minibatches

FOOD, SERVICE = ["soup", "bread", "fish", "cake"], ["waiter", "cook", "host", "barman"]
GOOD, BAD = ["good", "kind", "fine", "great"], ["bad", "rude", "awful", "dull"]
NEGATIONS, FILLERS = ["not", "never", "hardly"], ["very", "really", "quite"]
# Id 0 fills up short sentences: its vector stays 0.
WORDS = ["", "the", "was", "but", "and", *FOOD, *SERVICE, *GOOD, *BAD, *NEGATIONS, *FILLERS]
IDS = {word: i for i, word in enumerate(WORDS)}
LENGTH = 13
NAMES = ["neither", "food", "service", "both"]


def one_of(words):
    return words[random.random() % len(words)]


def clause(thing, praised):
    negated = random.random() % 2
    words = ["the", thing, "was"]
    words += [one_of(NEGATIONS)] if negated else []
    words += [one_of(FILLERS)] if random.random() % 2 else []
    return [*words, one_of(GOOD if praised != negated else BAD)]


def sentences(count):
    """Ids of words, filled up to LENGTH, and what is praised: 1 for food plus 2 for service."""
    x, y = np.zeros((count, LENGTH), int), np.zeros(count, int)
    for row in range(count):
        food, service = random.random() % 2, random.random() % 2
        first, second = clause(one_of(FOOD), food), clause(one_of(SERVICE), service)
        if random.random() % 2:
            first, second = second, first
        words = [*first, one_of(["but", "and"]), *second]
        x[row, : len(words)] = [IDS[word] for word in words]
        y[row] = food + 2 * service
    return x, y


def bag_of_words():
    return nn.Sequential(
        nn.LookupTable(len(WORDS), 16, 0),
        nn.Sum(1),
        nn.Linear(16, 32),
        nn.ReLU(),
        nn.Linear(32, 4),
        nn.LogSoftMax(),
    )


def convolutional(width=5):
    """Vectors of words, 32 features of every few words, and of each its largest value."""
    return nn.Sequential(
        nn.LookupTable(len(WORDS), 16, 0),
        nn.TemporalConvolution(16, 32, width),
        nn.ReLU(),
        nn.TemporalMaxPooling(LENGTH - width + 1),
        nn.View(32),
        nn.Linear(32, 4),
        nn.LogSoftMax(),
    )


def train(net, x, y, epochs):
    criterion, config = nn.ClassNLLCriterion(), {"learningRate": 0.005}
    parameters, gradients = net.getParameters()

    def step(words, praised):
        def opfunc(_):
            loss = criterion.forward(net.forward(words), praised)
            net.zeroGradParameters()
            net.backward(words, criterion.backward(net.output, praised))
            return loss, gradients

        optim.adam(opfunc, parameters, config)

    for _ in range(epochs):
        for words, praised in minibatches(x, y, 32):
            step(words, praised)


def main():
    parser = argparse.ArgumentParser(description="Train a convolution over words.")
    parser.add_argument("--sentences", type=int, default=2000, help="default: 2000")
    parser.add_argument("--epochs", type=int, default=10, help="default: 10")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers; default: 0")
    args = parser.parse_args()

    nn.manualSeed(args.seed)
    x, y = sentences(args.sentences)
    x_test, y_test = sentences(500)
    for name, net in (("bag of words", bag_of_words()), ("convolution", convolutional())):
        train(net, x, y, args.epochs)
        right = 100 * (net.forward(x_test).argmax(axis=1) == y_test).mean()
        print(f"{name:12}  {right:5.1f} % of new sentences right")

    print("\nWhat the convolution reads:")
    for ids, output in zip(x_test[:5], net.forward(x_test[:5]), strict=True):
        print(f"{NAMES[output.argmax()]:7}  {' '.join(WORDS[i] for i in ids if i)}")
    features = net[2].output[0]
    strongest = features.max(axis=0).argmax()
    start = features[:, strongest].argmax()
    window = " ".join(WORDS[i] for i in x_test[0, start : start + net[1].kW] if i)
    print(f"\nOf the first sentence, the feature that answers most read: {window}")


if __name__ == "__main__":
    main()
