"""Writes pytorch_sequences.npz: what PyTorch's LSTM and RNN compute.

    pip install torch==2.13.0
    python tests/data/make_pytorch_sequences.py

Each row says how PyTorch makes a network, and of which lengths its sequences are: of one length
they are a batch, which starts from a state and hands one on; of several they are packed. All
numbers that are drawn are multiples of 1/64. Parameters, states and their gradients are stored as
PyTorch has them, by its names: the gates in the order i, f, g, o, a bias for x and one for h,
batches second.

Its GRU resets what the product made of h, torchlite's resets h: that has no row.
"""

from pathlib import Path

import numpy as np

FILE = Path(__file__).with_name("pytorch_sequences.npz")
INPUTS = 3

# name: (class of torch.nn, its arguments, lengths)
SEQUENCES = {
    "LSTM": ("LSTM", {"hidden_size": 2}, [4] * 3),
    "LSTM_two_layers": ("LSTM", {"hidden_size": 2, "num_layers": 2}, [3] * 2),
    "LSTM_projection": ("LSTM", {"hidden_size": 4, "proj_size": 2}, [4] * 2),
    "LSTM_bidirectional": ("LSTM", {"hidden_size": 2, "bidirectional": True}, [3] * 2),
    "LSTM_bidirectional_projection": (
        "LSTM",
        {"hidden_size": 3, "proj_size": 2, "bidirectional": True},
        [3] * 2,
    ),
    "LSTM_packed": ("LSTM", {"hidden_size": 2}, [2, 5, 1, 3]),
    "LSTM_bidirectional_packed": ("LSTM", {"hidden_size": 2, "bidirectional": True}, [2, 4, 1]),
    "RNN": ("RNN", {"hidden_size": 2}, [4] * 3),
    "RNN_relu": ("RNN", {"hidden_size": 2, "nonlinearity": "relu"}, [3] * 2),
    "RNN_two_layers": ("RNN", {"hidden_size": 2, "num_layers": 2}, [3] * 2),
}


def main():
    try:
        import torch
    except ImportError as error:
        raise SystemExit("PyTorch is needed: pip install torch==2.13.0") from error
    from torch.nn.utils import rnn

    rng = np.random.default_rng(0)

    def drawn(*shape):
        return torch.tensor(rng.integers(-64, 65, shape) / 64)

    stored = {"made_with": np.array(f"PyTorch {torch.__version__.partition('+')[0]}")}
    for name, (kind, options, lengths) in SEQUENCES.items():
        net = getattr(torch.nn, kind)(INPUTS, **options).double()
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.copy_(drawn(*parameter.shape))
        kept = {"input": drawn(max(lengths), len(lengths), INPUTS).requires_grad_()}
        directions = 1 + options.get("bidirectional", False)
        layers = directions * options.get("num_layers", 1)
        sizes = [options.get("proj_size") or options["hidden_size"], options["hidden_size"]]
        if len({*lengths}) > 1:
            given = rnn.pack_padded_sequence(kept["input"], lengths, enforce_sorted=False)
            output = rnn.pad_packed_sequence(net(given)[0])[0]
            results = {"output": output}
        else:
            state = [drawn(layers, len(lengths), n).requires_grad_() for n in sizes]
            state = state if kind == "LSTM" else state[:1]
            kept |= {f"state{i}": array for i, array in enumerate(state)}
            output, end = net(kept["input"], tuple(state) if kind == "LSTM" else state[0])
            results = {"output": output}
            ends = end if kind == "LSTM" else [end]
            results |= {f"end{i}": array for i, array in enumerate(ends)}
        gradients = {f"{key}_gradient": drawn(*array.shape) for key, array in results.items()}
        torch.autograd.backward(list(results.values()), list(gradients.values()))
        kept |= dict(net.named_parameters())
        kept |= results | gradients
        kept |= {f"{key}_gradient": array.grad for key, array in kept.items() if array.is_leaf}
        for key, array in kept.items():
            if array is not None:
                stored[f"{name}/{key}"] = array.detach().numpy()
    np.savez_compressed(FILE, **stored)


if __name__ == "__main__":
    main()
