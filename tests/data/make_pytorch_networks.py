"""Writes pytorch_networks.npz and .safetensors: what PyTorch makes of a small network.

    pip install torch==2.13.0 safetensors
    python tests/data/make_pytorch_networks.py

The file of safetensors holds the state_dict of the network in float32, as PyTorch's users save one.
The archive holds, of the same network, a forward and backward in both modes, and of one in float64
the losses of ten steps of two optimizers, with what network and optimizer were before the first.
"""

from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("pytorch_networks.npz")
STATE = FILE.with_suffix(".safetensors")
OPTIMIZERS = {
    "SGD": {"lr": 0.05, "momentum": 0.9, "dampening": 0.25, "weight_decay": 1e-3},
    "Adam": {"lr": 0.01, "betas": (0.8, 0.99)},
}


def network(torch):
    """Return a module whose parts have names of their own."""
    t = torch.nn

    class Network(t.Module):
        def __init__(self):
            super().__init__()
            self.conv = t.Conv2d(1, 4, (3, 2), padding=(1, 0))
            self.norm = t.BatchNorm2d(4)
            self.deep = t.Conv2d(4, 8, 3, groups=4)
            self.up = t.ConvTranspose2d(8, 2, 2, stride=2)
            self.head = t.Sequential(t.Linear(96, 3), t.LayerNorm(3))

        def forward(self, input):
            planes = self.norm(self.conv(input)).relu()
            return self.head(self.up(self.deep(planes)).tanh().flatten(1))

    torch.manual_seed(0)
    made = Network()
    with torch.no_grad():
        for parameter in made.head[1].parameters():
            parameter.uniform_(0.5, 1.5)
    return made


def images(dtype):
    return np.random.default_rng(0).normal(size=(10, 1, 6, 6)).astype(dtype)


def classes():
    return np.arange(10) % 3


def main():
    try:
        import torch
        from safetensors.torch import save_file
    except ImportError as error:
        raise SystemExit("needed are: pip install torch==2.13.0 safetensors") from error
    stored = {"made_with": np.array(f"PyTorch {torch.__version__.partition('+')[0]}")}
    made = network(torch)
    made(torch.tensor(images("float32")))
    save_file(made.state_dict(), STATE)
    for mode in ("evaluation", "training"):
        made.train(mode == "training").zero_grad()
        input = torch.tensor(images("float32"), requires_grad=True)
        output = made(input)
        (output * output).sum().backward()
        stored |= {
            f"{mode}/output": output.detach().numpy(),
            f"{mode}/gradInput": input.grad.numpy(),
        }
        for name, parameter in made.named_parameters():
            stored[f"{mode}/gradient/{name}"] = parameter.grad.numpy().copy()
    for name, settings in OPTIMIZERS.items():
        made = network(torch).double()
        optimizer = getattr(torch.optim, name)(made.parameters(), **settings)
        losses = []
        for step in range(15):
            if step == 5:
                for key, tensor in made.state_dict().items():
                    stored[f"{name}/state/{key}"] = tensor.numpy().copy()
                for key, parameter in made.named_parameters():
                    for what, tensor in optimizer.state[parameter].items():
                        stored[f"{name}/{what}/{key}"] = tensor.numpy().copy()
            optimizer.zero_grad()
            scores = made(torch.tensor(images("float64")))
            loss = torch.nn.functional.cross_entropy(scores, torch.tensor(classes()))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        stored[f"{name}/losses"] = np.array(losses[5:])
    np.savez_compressed(FILE, **stored)


if __name__ == "__main__":
    main()
