"""An autoencoder: 64 pixels through a bottleneck of 8 numbers, and back to 64 pixels.

The network's target is its own input. Since only 8 numbers get through, the first half has to learn
how to say in 8 numbers what a digit looks like, and the second half how to draw it from them. It
comes to a loss of about 0.015; the best linear map through 8 numbers, that to the principal
components and back, has one of 0.025.

    python examples/autoencoder.py            train it, and draw one digit in characters
    python examples/autoencoder.py FOLDER     and ten of them in autoencoder.png there
"""

import argparse
from pathlib import Path

import numpy as np

import torchlite as nn
from torchlite import optim
from torchlite.datasets import digits, minibatches
from torchlite.progress import progress

CODE = 8


def principal_components(x):
    """Return the linear map through CODE numbers and back that loses least of x."""
    mean = x.mean(axis=0)
    directions = np.linalg.svd(x - mean, full_matrices=False)[2][:CODE]
    return lambda images: mean + (images - mean) @ directions.T @ directions


def characters(image):
    """The eight lines of an image, dark pixels as #."""
    shades = (4 * image).round().astype(int).reshape(8, 8)
    return ["".join(" .+*#"[shade] for shade in row) for row in shades]


def draw(rows, file):
    """Draw rows of images, each with its name at the left."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("matplotlib is not installed: pip install matplotlib") from error
    page = Figure((10, 3.3), layout="constrained")
    for places, (name, images) in zip(page.subplots(len(rows), 10), rows.items(), strict=True):
        places[0].set_ylabel(name, rotation="horizontal", ha="right", va="center")
        for axes, image in zip(places, images, strict=True):
            axes.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
            axes.set(xticks=[], yticks=[])
    page.savefig(file)


def main():
    parser = argparse.ArgumentParser(description="Train an autoencoder of handwritten digits.")
    parser.add_argument("folder", nargs="?", type=Path, help="where the picture goes")
    parser.add_argument("--epochs", type=int, default=30, help="default: 30")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers; default: 0")
    args = parser.parse_args()

    x_train, _, x_test, y_test = digits()
    nn.manualSeed(args.seed)
    encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, CODE))
    decoder = nn.Sequential(nn.Linear(CODE, 64), nn.ReLU(), nn.Linear(64, 64), nn.Sigmoid())
    net = nn.Sequential(encoder, decoder)
    criterion = nn.MSECriterion()
    parameters, gradients = net.getParameters()
    config = {"learningRate": 0.003}

    def step(x):
        def opfunc(_):
            loss = criterion.forward(net.forward(x), x)
            net.zeroGradParameters()
            net.backward(x, criterion.backward(net.output, x))
            return loss, gradients

        optim.adam(opfunc, parameters, config)

    def lost(images):
        """What test images have lost, a pixel, on the average: the mean of the squares."""
        return criterion.forward(images, x_test)

    print(net)
    print(f"loss before training {lost(net.forward(x_test)):.4f}")
    epochs = progress(range(args.epochs), "epochs")
    for _ in epochs:
        for x, _ in minibatches(x_train, x_train, 20):
            step(x)
        epochs.status(f"loss {lost(net.forward(x_test)):.4f}")
    linear = principal_components(x_train)
    print(f"loss after training  {lost(net.forward(x_test)):.4f}")
    print(f"of the linear map    {lost(linear(x_test)):.4f}")

    code = encoder.forward(x_test[:1])
    print("\nA digit, its code, what is drawn from the code, and what the linear map makes of it:")
    parts = (x_test[0], decoder.forward(code)[0], linear(x_test[0]).clip(0, 1))
    numbers = [f"{number:8.2f}" for number in code[0]]
    before, drawn, straight = map(characters, parts)
    for line in zip(before, numbers, drawn, straight, strict=True):
        print("  {}  {}      {}      {}".format(*line))

    if args.folder:
        args.folder.mkdir(parents=True, exist_ok=True)
        one_each = x_test[[list(y_test).index(digit) for digit in range(10)]]
        rows = {
            "image": one_each,
            "autoencoder": net.forward(one_each),
            "linear map": linear(one_each),
        }
        draw(rows, args.folder / "autoencoder.png")


if __name__ == "__main__":
    main()
