"""Segmentation: an encoder and a decoder say of every pixel what it shows.

The program draws pictures of 16 by 16 pixels, a square and a disc in noise. The encoder halves them
twice, and so sees more around each place; the decoder doubles twice, by SpatialFullConvolution,
until every pixel has a probability for background, square and disc. What halving forgets, where
exactly an edge stands, comes in past it: the encoder's planes are joined to the decoder's.
(Ronneberger, Fischer and Brox: U-Net, 2015.)

    python examples/segment.py            train, and see a picture, what is there and what is read
    python examples/segment.py FOLDER     and draw segment.png there
"""

import argparse
from pathlib import Path

import numpy as np

import torchlite as nn
from torchlite import optim, random
from torchlite.datasets import minibatches

SIZE = 16
BACKGROUND, SQUARE, DISC = range(3)
NAMES = ["background", "square", "disc"]


def pictures(count):
    """Pictures (count, 1, SIZE, SIZE), and the class of each pixel."""
    rows, columns = np.mgrid[:SIZE, :SIZE]
    classes = np.zeros((count, SIZE, SIZE), int)
    for picture in classes:
        # One on the left, the other on the right: where they met, nobody could tell them apart.
        left = random.random() % 2
        for shape in (SQUARE, DISC):
            x = SIZE / 4 if (shape == SQUARE) == left else 3 * SIZE / 4
            y, radius = random.uniform(3, SIZE - 4), random.uniform(2, 3.5)
            away = abs(rows - y), abs(columns - x)
            inside = (
                np.maximum(*away) < radius if shape == SQUARE else np.hypot(*away) < radius + 0.5
            )
            picture[inside] = shape
    ink = (classes != BACKGROUND) + random.normal(0, 0.3, size=classes.shape)
    return ink[:, None].astype(np.float32), classes


def convolution(planes_in, planes):
    return nn.Sequential(
        nn.SpatialConvolution(planes_in, planes, 3, 3, 1, 1, 1, 1),
        nn.SpatialBatchNormalization(planes),
        nn.ReLU(),
    )


def around(planes, inner):
    """Go down to half the size, through `inner` and up again; beside it the input stays."""
    deep = nn.Sequential(
        nn.SpatialMaxPooling(2, 2),
        convolution(planes, 2 * planes),
        inner,
        nn.SpatialFullConvolution(2 * planes, planes, 2, 2, 2, 2),
        nn.ReLU(),
    )
    both = nn.Sequential(nn.ConcatTable(nn.Identity(), deep), nn.JoinTable(1))
    return both.add(convolution(2 * planes, planes))


def network(planes=8):
    net = nn.Sequential(convolution(1, planes))
    net.add(around(planes, around(2 * planes, nn.Identity())))
    net.add(nn.SpatialConvolution(planes, 3, 1, 1))
    return net.add(nn.SpatialLogSoftMax()).float()


def overlap(read, classes):
    """Of each class, the pixels that show it and are read as it, by those of which either holds."""
    return [
        ((read == c) & (classes == c)).sum() / ((read == c) | (classes == c)).sum()
        for c in range(len(NAMES))
    ]


def draw(x, classes, read, file):
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("matplotlib is not installed: pip install matplotlib") from error
    page = Figure((8, 6), layout="constrained")
    panels = page.subplots(3, 4, subplot_kw={"xticks": [], "yticks": []})
    for line, images in zip(panels, (x[:, 0], classes, read), strict=True):
        for axes, image in zip(line, images, strict=False):
            axes.imshow(image)
    for axes, title in zip(panels[:, 0], ("picture", "is", "read as"), strict=True):
        axes.set_ylabel(title)
    file.parent.mkdir(parents=True, exist_ok=True)
    page.savefig(file)


def main():
    parser = argparse.ArgumentParser(description="Train a network that segments pictures.")
    parser.add_argument("folder", nargs="?", type=Path, help="where the picture goes")
    parser.add_argument("--pictures", type=int, default=600, help="default: 600")
    parser.add_argument("--epochs", type=int, default=15, help="default: 15")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers; default: 0")
    args = parser.parse_args()

    nn.manualSeed(args.seed)
    x_train, y_train = pictures(args.pictures)
    x_test, y_test = pictures(100)
    net, criterion = network(), nn.SpatialClassNLLCriterion()
    parameters, gradients = net.getParameters()
    config = {"learningRate": 0.005}
    print(net)

    def step(x, y):
        def opfunc(_):
            loss = criterion.forward(net.forward(x), y)
            net.zeroGradParameters()
            net.backward(x, criterion.backward(net.output, y))
            return loss, gradients

        _, losses = optim.adam(opfunc, parameters, config)
        return losses[0]

    for epoch in range(1, args.epochs + 1):
        net.training()
        losses = [step(x, y) for x, y in minibatches(x_train, y_train, 20)]
        net.evaluate()
        read = net.forward(x_test).argmax(axis=1)
        right = 100 * (read == y_test).mean()
        print(f"epoch {epoch:2}  loss {np.mean(losses):.3f}  pixels right {right:.1f} %")

    print("\nA test picture, what it shows and what is read:")
    for ink, truth, found in zip(x_test[0, 0], y_test[0], read[0], strict=True):
        line = "".join(" .:+#"[int(np.clip(3 * pixel + 1, 0, 4))] for pixel in ink)
        print(line, *("".join(".#o"[c] for c in row) for row in (truth, found)), sep="   ")
    print("\nOverlap of what is there and what is read:")
    for name, share in zip(NAMES, overlap(read, y_test), strict=True):
        print(f"{name:10}  {share:.3f}")
    if args.folder:
        draw(x_test, y_test, read, args.folder / "segment.png")


if __name__ == "__main__":
    main()
