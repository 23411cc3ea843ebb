"""Encoder and decoder with attention, which learn to write words backwards.

The encoder, an LSTM, reads a word letter by letter; the decoder, another, starts from the state in
which the first one ended, and writes. At each step it looks back: its output is compared with every
output of the encoder, and a softmax of these scores says how much of each it takes. It is told
nothing of reversing; that it looks at the last letter first is what it finds.

    python examples/seq2seq_reverse.py

Forward and backward are written out. What goes back through the decoder arrives at the state that
it started from: that is part of the gradient of the encoder, at its last step. A batch has words of
one length, so nothing has to be masked. (I. Sutskever, O. Vinyals and Q. V. Le, Sequence to
sequence learning with neural networks, 2014; the attention is M.-T. Luong's, 2015.)
"""

import argparse

import numpy as np

import torchlite as nn
from torchlite import optim, random
from torchlite.progress import progress

LETTERS = "abcdefghijklmnopqrstuvwxyz"
# What the decoder is given before the first letter, and is to write behind the last one.
EDGE = len(LETTERS)


def lstm(size):
    """Return a network of numbers of letters (N, T) that returns outputs (N, T, size)."""
    layer = nn.SeqLSTM(size, size)
    layer.batchfirst = True
    return nn.Sequential(nn.LookupTable(EDGE + 1, size), layer)


class Translator:
    """An encoder, a decoder, and how the decoder looks at what the encoder has read."""

    def __init__(self, size):
        self.encoder, self.decoder = lstm(size), lstm(size)
        self.looks = nn.SoftMax(dim=2)
        read, written = nn.Identity()(), nn.Identity()()
        shares = self.looks(nn.MM(False, True)([written, read]))
        seen = nn.MM()([shares, read])
        scores = nn.Bottle(nn.Linear(2 * size, EDGE + 1))(nn.JoinTable(2)([seen, written]))
        self.attention = nn.gModule([read, written], [scores])
        # Only to have all parameters in one flat array.
        self.all = nn.ParallelTable().add(self.encoder).add(self.decoder).add(self.attention)

    def forward(self, words, given):
        """Return the scores of what comes after each letter given, (N, S, letters)."""
        self.inputs = words, given
        read = self.encoder.forward(words)
        self.decoder[1].setStartState(self.encoder[1].getHiddenState())
        self.outputs = [read, self.decoder.forward(given)]
        return self.attention.forward(self.outputs)

    def backward(self, gradScores):
        """Go back the way of the last forward; add to the gradients of all parameters."""
        words, given = self.inputs
        gradRead, gradWritten = self.attention.backward(self.outputs, gradScores)
        self.decoder.backward(given, gradWritten)
        gradStart = self.decoder[1].getGradHiddenState(0)
        self.encoder[1].setGradHiddenState(words.shape[1], gradStart)
        self.encoder.backward(words, gradRead)

    def write(self, words):
        """Return what it writes, each letter the likeliest one, as many as were read and EDGE."""
        written = np.full((len(words), 1), EDGE)
        for _ in range(words.shape[1] + 1):
            scores = self.forward(words, written)
            written = np.column_stack([written, scores[:, -1].argmax(1)])
        return written[:, 1:]


def draw(count, length):
    """Return random words, as numbers of letters."""
    return random.random(0, EDGE - 1, size=(count, length)).astype(int)


def lesson(words):
    """Return what the decoder is given, and what it is to write."""
    edge = np.full((len(words), 1), EDGE)
    backwards = words[:, ::-1]
    return np.column_stack([edge, backwards]), np.column_stack([backwards, edge])


def share_right(translator, length):
    """Return how many of 200 new words are written without a mistake."""
    words = draw(200, length)
    return (translator.write(words) == lesson(words)[1]).all(1).mean()


def text(numbers):
    """Return letters, and a full stop at the end."""
    return "".join((LETTERS + ".")[number] for number in numbers)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--updates", type=int, default=1200)
    parser.add_argument("--size", type=int, default=64)
    options = parser.parse_args()

    nn.manualSeed(0)
    translator = Translator(options.size)
    parameters, gradParameters = translator.all.getParameters()
    criterion = nn.CrossEntropyCriterion()
    config, state = {"learningRate": 0.01, "learningRateDecay": 0.003}, {}
    updates = progress(range(options.updates), "updates")
    for update in updates:
        words = draw(32, int(random.random(3, 8)))
        given, wanted = lesson(words)

        def opfunc(_, words=words, given=given, wanted=wanted):
            gradParameters.fill(0)
            scores = translator.forward(words, given)
            rows, target = scores.reshape(-1, EDGE + 1), wanted.reshape(-1)
            loss = criterion.forward(rows, target)
            translator.backward(criterion.backward(rows, target).reshape(scores.shape))
            optim.clip_by_norm(gradParameters, 5.0)
            return loss, gradParameters

        _, (loss,) = optim.adam(opfunc, parameters, config, state)
        updates.status(f"loss {loss:.3f}")
        if (update + 1) % 200 == 0:
            print(f"update {update + 1:4}  loss {loss:.4f}")

    for length in (3, 5, 8, 10):
        note = "" if length <= 8 else ", longer than all that it has seen"
        print(f"of {length} letters {100 * share_right(translator, length):5.1f}% right{note}")
    word = np.array([[LETTERS.index(letter) for letter in "backward"]])
    written = translator.write(word)[0]
    print(f"backward -> {text(written)}")
    print("where it looks, line by line as it writes:")
    print("   " + " ".join("backward"))
    for letter, shares in zip(text(written), translator.looks.output[0], strict=True):
        print(f" {letter} " + " ".join(" .:+#"[min(4, int(5 * share))] for share in shares))


if __name__ == "__main__":
    main()
