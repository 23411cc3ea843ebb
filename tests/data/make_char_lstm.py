"""Writes char_lstm.npz: how PyTorch trains the network of examples/char_lstm.py.

    pip install torch==2.13.0
    python tests/data/make_char_lstm.py

Twenty windows of the licence, read by four readers. The first parameters are the example's, which
PyTorch's embedding, LSTM of two layers and linear layer are given. Of the LSTM's two biases, which
it adds, the second one stays zero. The archive has the loss of each window.
"""

import runpy
from pathlib import Path

import numpy as np

import torchlite as nn
from torchlite.interop import pytorch

HERE = Path(__file__).parent
FILE = HERE / "char_lstm.npz"
SIZE = 16


def begun():
    """Return the example's names, its network before the first update, and all windows."""
    made = runpy.run_path(str(HERE.parents[1] / "examples" / "char_lstm.py"))
    text = (HERE.parents[1] / "LICENSE").read_text("utf-8")
    alphabet = sorted(set(text))
    nn.manualSeed(1)
    net = made["network"](len(alphabet), SIZE)
    numbers = np.array([alphabet.index(letter) for letter in text])
    return made, net, list(made["windows"](numbers, 4, 18))[:20]


def main():
    try:
        import torch
    except ImportError as error:
        raise SystemExit("PyTorch is needed: pip install torch==2.13.0") from error
    _, net, windows = begun()
    state = {name: torch.tensor(array) for name, array in pytorch.state_dict(net).items()}
    letters = len(net[0].weight)
    embedding = torch.nn.Embedding(letters, SIZE).double()
    embedding.load_state_dict({"weight": state["0.weight"]})
    lstm = torch.nn.LSTM(SIZE, SIZE, 2).double()
    lstm.load_state_dict(
        {
            name.removeprefix(f"{n + 1}.").replace("_l0", f"_l{n}"): tensor
            for n in range(2)
            for name, tensor in state.items()
            if name.startswith(f"{n + 1}.")
        }
    )
    linear = torch.nn.Linear(SIZE, letters).double()
    linear.load_state_dict({name: state[f"4.{name}"] for name in ("weight", "bias")})
    for name, parameter in lstm.named_parameters():
        parameter.requires_grad_("bias_hh" not in name)
    parts = torch.nn.ModuleList([embedding, lstm, linear])
    parameters = [parameter for parameter in parts.parameters() if parameter.requires_grad]
    optimizer = torch.optim.RMSprop(parameters, lr=0.003, alpha=0.95)
    losses, last = [], None
    for window in map(torch.tensor, windows):
        optimizer.zero_grad()
        output, last = lstm(embedding(window[:-1]), last)
        last = [array.detach() for array in last]
        scores = linear(output).flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(scores, window[1:].flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 5)
        optimizer.step()
        losses.append(loss.item())
    version = torch.__version__.partition("+")[0]
    np.savez_compressed(FILE, made_with=np.array(f"PyTorch {version}"), losses=np.array(losses))


if __name__ == "__main__":
    main()
