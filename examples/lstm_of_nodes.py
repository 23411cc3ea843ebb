"""A character LSTM built of nodes, as char-rnn builds it, that learns a nursery rhyme by heart.

One step takes a character and what was remembered, the cell c and the hidden state h, and gives
both anew and what comes next, as log-probabilities. Training unrolls it: clones of the step, which
share its parameters, one a character. The gradients of c and h that come out of a step on the way
back are part of the gradOutput of the step before; that is all of backpropagation through time.
(A. Karpathy, https://github.com/karpathy/char-rnn, model/LSTM.lua and train.lua.)

    python examples/lstm_of_nodes.py
"""

import argparse

import numpy as np

import torchlite as nn
from torchlite import optim, random
from torchlite.stepping import summary

WHO = [
    "house that Jack built.", "malt that lay in the", "rat that ate the", "cat that killed the",
    "dog that worried the", "cow with the crumpled horn that tossed the",
    "maiden all forlorn that milked the", "man all tattered and torn that kissed the",
]  # fmt: skip
VERSES = [f"This is the {' '.join(WHO[i::-1])}\n" for i in range(len(WHO))]
RHYME = "".join(VERSES)
LETTERS = sorted(set(RHYME))


def lstm_step(size):
    """Return a network of (character, c, h) that returns (next c, next h, what comes next)."""
    classes = len(LETTERS)
    x = nn.OneHot(classes)().annotate(name="x", description="characters")
    c = nn.Identity()().annotate(name="c")
    h = nn.Identity()().annotate(name="h")
    sums = nn.CAddTable()([nn.Linear(classes, 4 * size)(x), nn.Linear(size, 4 * size)(h)])
    gates = nn.SplitTable(1)(nn.Reshape(4, size, batchMode=True)(sums)).split(4)
    in_gate, forget_gate, out_gate = (nn.Sigmoid()(gate) for gate in gates[:3])
    news = nn.Tanh()(gates[3])
    next_c = nn.CAddTable()(
        [nn.CMulTable()([forget_gate, c]), nn.CMulTable()([in_gate, news])]
    ).annotate(name="next c")
    next_h = nn.CMulTable()([out_gate, nn.Tanh()(next_c)]).annotate(name="next h")
    scores = nn.LogSoftMax()(nn.Linear(size, classes)(next_h)).annotate(name="what comes next")
    return nn.gModule([x, c, h], [next_c, next_h, scores])


criterion = nn.ClassNLLCriterion()


def through_time(steps, state, characters):
    """Go forward and backward through all steps; return the loss of a character, and the state.

    characters: one row a step, and a last one that is only to be foretold.
    """
    inputs, scores, loss = [], [], 0
    c, h = state
    for step, now, then in zip(steps, characters[:-1], characters[1:], strict=True):
        inputs.append([now, c, h])
        c, h, score = step.forward(inputs[-1])
        scores.append(score)
        loss += criterion.forward(score, then) / len(steps)
    grad_c, grad_h = np.zeros_like(c), np.zeros_like(h)
    for t in reversed(range(len(steps))):
        grad_score = criterion.backward(scores[t], characters[t + 1]) / len(steps)
        _, grad_c, grad_h = steps[t].backward(inputs[t], [grad_c, grad_h, grad_score])
    return loss, (c, h)


def recite(step, size, text):
    """Return the verse that begins with the text, each further character the most likely one."""
    c = h = np.zeros((1, size))
    for i in range(400):
        c, h, scores = step.forward([np.array([LETTERS.index(text[i])]), c, h])
        if i == len(text) - 1:
            text += LETTERS[scores.argmax()]
            if text[-1] == "\n":
                break
    return text


def main():
    parser = argparse.ArgumentParser(description="Teach a rhyme to an LSTM, letter by letter.")
    parser.add_argument("--size", type=int, default=64, help="of the hidden state; default: 64")
    parser.add_argument("--unroll", type=int, default=25, help="steps of one update; default: 25")
    parser.add_argument("--updates", type=int, default=200, help="default: 200")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers; default: 0")
    args = parser.parse_args()

    random.manualSeed(args.seed)
    step = lstm_step(args.size)
    print(summary(step))
    parameters, gradients = step.getParameters()
    parameters[...] = random.uniform(-0.08, 0.08, size=parameters.shape)
    # Flatten first: what is cloned then are views of the flat arrays.
    shared = ("weight", "bias", "gradWeight", "gradBias")
    steps = [step, *(step.clone(*shared) for _ in range(args.unroll - 1))]

    # Sixteen readers begin at different places, and read on from update to update.
    text = np.array([LETTERS.index(character) for character in RHYME])
    places = np.arange(16) * (len(text) // 16)
    state = np.zeros((16, args.size)), np.zeros((16, args.size))
    config = {"learningRate": 0.01, "alpha": 0.95}
    print(f"\n{len(RHYME)} characters, {len(LETTERS)} different ones, {len(parameters)} parameters")
    for update in range(1, args.updates + 1):
        window = places + np.arange(args.unroll + 1)[:, None]

        def opfunc(_, window=window):
            nonlocal state
            step.zeroGradParameters()
            loss, state = through_time(steps, state, text[window % len(text)])
            gradients.clip(-5, 5, out=gradients)
            return loss, gradients

        _, (loss,) = optim.rmsprop(opfunc, parameters, config)
        places += args.unroll
        if update % 20 == 0:
            print(f"update {update}  loss a character {loss:.3f}")
    told = [recite(step, args.size, verse[:15]) for verse in VERSES]
    right = sum(map(str.__eq__, told, VERSES))
    print(f"\nrecites {right} of {len(VERSES)} verses; of what begins with {VERSES[5][:15]!r}:\n")
    print(told[5])


if __name__ == "__main__":
    main()
