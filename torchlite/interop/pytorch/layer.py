"""The torch module that stands for a layer that PyTorch has no class for."""

import copy
from functools import cache
from typing import Any

import numpy as np

from torchlite import nn
from torchlite.interop.pytorch.functions import FUNCTIONS
from torchlite.interop.pytorch.pairs import BUFFERS, arrays_of, own_parameters

__all__ = ["layer_class", "rebuilt"]


@cache
def layer_class() -> Any:
    """Return the class Layer, a torch.nn.Module."""
    import torch

    class Layer(torch.nn.Module):  # type: ignore[misc]
        """A layer of torchlite, computed by PyTorch's operations, with PyTorch's gradients."""

        def __init__(self, layer: Any, modules: list[Any]) -> None:
            super().__init__()
            own = own_parameters(layer)
            self.held = [(name, own[name], getattr(layer, name).shape) for name in own]
            self.of = _settings(layer, {*own, *own.values()})
            for name in {"bias": None, **arrays_of(layer)}:
                register = self.register_buffer if name in BUFFERS else self.register_parameter
                register(name, None)
            for i, module in enumerate(modules):
                self.add_module(str(i), module)
            # Its dtype is that to which the network was cast last.
            dtype = layer._dtype if isinstance(layer, nn.DontCast) else layer.type()
            none = torch.from_numpy(np.empty(0, dtype))
            self.register_buffer("like", none, persistent=False)

        def inside(self) -> list[Any]:
            """Return the modules inside, in their order; one that stands twice is there twice."""
            return [self._modules[str(i)] for i in range(len(self._modules))]

        def forward(self, input: Any) -> Any:
            """Return what the layer makes of a tensor, or of a list of tensors."""
            return FUNCTIONS[type(self.of).__name__](self, input)

        def _get_name(self) -> str:
            return type(self.of).__name__

    Layer.__module__, Layer.__qualname__ = __name__, "Layer"
    return Layer


def __getattr__(name: str) -> Any:
    # Where pickle looks for the class.
    if name == "Layer":
        return layer_class()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _settings(layer: Any, arrays: set[str]) -> Any:
    """Return a copy of a layer without these arrays, and with nothing in its modules' places."""
    state = {name: value for name, value in layer.__getstate__().items() if name not in arrays}
    if "modules" in state:
        state["modules"] = [nn.Identity()] * len(layer.modules)
    made: Any = object.__new__(type(layer))
    vars(made).update(copy.deepcopy(state))
    return made


def rebuilt(layer: Any, modules: list[Any], dtype: Any) -> Any:
    """Return the layer of torchlite that a Layer stands for, with zeros as its parameters."""
    made = copy.deepcopy(layer.of)
    for *names, shape in layer.held:
        vars(made).update((name, np.zeros(shape, dtype)) for name in names)
    if dtype != made.type():
        made.type(dtype)
    if modules:
        made.modules = modules
    return made
