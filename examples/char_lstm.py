"""A character model: two LSTMs read this project's README and licence, and then write on.

Given what was read so far, the network says how likely each character is to come next. Sixteen
readers begin at different places and read on from window to window: the LSTMs remember the state in
which a window ended, but a backward goes back through one window only. What it writes is drawn
character by character; the temperature says how daring it is.

    python examples/char_lstm.py --checkpoint model.npz
    python examples/char_lstm.py --resume model.npz --epochs 60

(A. Karpathy, The unreasonable effectiveness of recurrent neural networks, 2015.)
"""

import argparse
from pathlib import Path

import numpy as np

import torchlite as nn
from torchlite import optim, random, serial
from torchlite.progress import progress

PROJECT = Path(__file__).parents[1]


def network(letters, size):
    """Return a network of numbers of letters (T, N) that returns scores (T * N, letters)."""
    return nn.Sequential(
        nn.LookupTable(letters, size),
        nn.SeqLSTM(size, size).remember("both"),
        nn.SeqLSTM(size, size).remember("both"),
        nn.View(-1, size),
        nn.Linear(size, letters),
    )


def windows(numbers, readers, length):
    """Yield what the readers read from one window to the next, (length + 1, readers).

    The last row is only to be foretold: it is the first one of the window after.
    """
    stretch = len(numbers) // readers
    starts = np.arange(readers) * stretch
    for first in range(0, stretch - length, length):
        yield numbers[starts + np.arange(first, first + length + 1)[:, None]]


def update(net, window, config, state):
    """Go forward and backward through a window, and improve the network. Return the loss."""
    parameters, gradParameters = net.getParameters()
    criterion = nn.CrossEntropyCriterion()
    given, wanted = window[:-1], window[1:].reshape(-1)

    def opfunc(_):
        gradParameters.fill(0)
        scores = net.forward(given)
        loss = criterion.forward(scores, wanted)
        net.backward(given, criterion.backward(scores, wanted))
        net.gradParamClip(5)
        return loss, gradParameters

    _, (loss,) = optim.rmsprop(opfunc, parameters, config, state)
    return loss


def write_on(net, alphabet, text, count, temperature):
    """Return the text and so many characters more, drawn one after the other."""
    net.evaluate()
    net.forget()
    heard = text
    for _ in range(count):
        numbers = np.array([[alphabet.index(letter)] for letter in heard])
        scores = net.forward(numbers)[-1].astype("float64")
        scores -= scores.max()
        # At 0 it is always the likeliest.
        chances = np.exp(scores / temperature) if temperature else 1.0 * (scores == 0)
        heard = alphabet[int(random.multinomial(chances, 1)[0])]
        text += heard
    net.training()
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", type=int, help="of the layers (96); a checkpoint has its own")
    parser.add_argument("--epochs", type=int, default=40, help="how many there are to have been")
    parser.add_argument("--checkpoint", help="where to save after each epoch")
    parser.add_argument("--resume", help="a checkpoint to go on from")
    parser.add_argument("--temperature", type=float, default=0.5)
    options = parser.parse_args()
    if options.resume and options.size:
        parser.error("--size: the checkpoint to --resume has its own")
    if not 0 <= options.temperature < np.inf:
        parser.error("--temperature: at least 0, which always writes the likeliest character")

    text = "".join((PROJECT / name).read_text("utf-8") for name in ("README.md", "LICENSE"))
    alphabet = "".join(sorted(set(text)))
    numbers = np.array([alphabet.index(letter) for letter in text])
    nn.manualSeed(0)
    if options.resume:
        net, state, extra = serial.load_checkpoint(options.resume)
        alphabet, before = extra["alphabet"], extra["epoch"]
        numbers = np.array([alphabet.index(letter) for letter in text if letter in alphabet])
    else:
        net, state, before = network(len(alphabet), options.size or 96).float(), {}, 0
    print(f"{len(text)} characters, {len(alphabet)} different ones, {net.getParameters()[0].size}")
    epochs = progress(range(before, options.epochs), "epochs")
    for epoch in epochs:
        # All readers begin anew: a checkpoint holds no states.
        net.forget()
        config = {"learningRate": 0.003, "alpha": 0.95}
        losses = [update(net, window, config, state) for window in windows(numbers, 16, 40)]
        epochs.status(f"loss {np.mean(losses):.3f}")
        if options.checkpoint:
            serial.save_checkpoint(
                options.checkpoint, net, state, epoch=epoch + 1, alphabet=alphabet
            )
        if (epoch + 1) % 5 == 0 or epoch + 1 == options.epochs:
            print(f"epoch {epoch + 1:3}  loss a character {np.mean(losses):.4f}")
    print(write_on(net, alphabet, "torchlite ", 300, options.temperature))


if __name__ == "__main__":
    main()
