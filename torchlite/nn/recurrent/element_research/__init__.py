"""Element-Research's classes, where those of torch/rnn mean something else by the same name.

A class is loaded when it is first named, as those of `nn`.
"""

import importlib
from typing import Any

# Where each class lives.
_HOMES = {
    "BiSequencer": "bi_sequencer",
    "FastLSTM": "fast_lstm",
    "GRU": "gru",
    "LSTM": "lstm",
    "MaskZero": "mask_zero",
    "MaskZeroCriterion": "mask_zero_criterion",
    "MuFuRu": "mu_fu_ru",
    "SeqGRU": "seq_gru",
    "SeqLSTM": "seq_lstm",
    "SeqLSTMP": "seq_lstmp",
}

__all__ = sorted(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
