"""A network there and back: `to_torch` and `from_torch`."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from torchlite import nn, random
from torchlite.errors import DTypeError, TorchliteError, fault
from torchlite.interop.pytorch.functions import FUNCTIONS, LIMITS, THEIRS, UNSAID, beyond
from torchlite.interop.pytorch.layer import layer_class, rebuilt
from torchlite.interop.pytorch.pairs import (
    BUFFERS,
    COMPOSED,
    PAIRS,
    Held,
    UnsaidError,
    arrays_of,
    biases_added,
    own_parameters,
    pair_of,
    settle,
)
from torchlite.kernels.arrays import Array
from torchlite.nn.ties import ties_of

__all__ = ["from_torch", "imported", "says", "to_torch"]

_NO_SUCH = "torch.nn has no such layer"
_DTYPES = ("float32", "float64", "complex64", "complex128")


def to_torch(net: nn.Module) -> Any:
    """Return a torch.nn.Module that computes what a network computes: outputs and gradients.

    Parameters
    ----------
    net
        A module.

    Conventions
    -----------
    - Parameters and running statistics are copies: what is done to one network does not reach the
      other. Gradients stay behind.
    - A layer that torch.nn has becomes that one; the others become a `Layer`, a small torch module
      that computes it by tensors' operations. A Sequential becomes torch.nn.Sequential, a container
      or a gModule a `Layer` with the others inside. Tables are lists of tensors.
    - dtype, and training or evaluation mode, are those of each layer. Layers that draw at random do
      so from PyTorch's stream; `inplace` is False. Nothing is drawn from it here.
    - The same module, or the same array, in two places is one there, too.
    - Names in `state_dict()` are those of `serial.save_parameters`.

    Raises
    ------
    ImportError
        PyTorch is not installed.
    DTypeError
        net is no module, or has layers that cannot be said there: all are named, with their paths
        and the reasons.

    Example
    -------
    See docs/pytorch.md.
    """
    torch = imported()
    if not isinstance(net, nn.Module):
        raise fault(DTypeError, "to_torch", "net", "a module", type(net).__name__)
    there = _There(torch)
    _refuse("to_torch", "net", "layers that PyTorch can say", _unsaid(net))
    with torch.random.fork_rng(devices=[]):
        return there.made(net)


def from_torch(module: Any) -> nn.Module:
    """Return a network that computes what a torch.nn.Module computes: outputs and gradients.

    Parameters
    ----------
    module
        What `to_torch` returned, or a torch.nn.Sequential, in Sequentials to any depth, of layers
        that torchlite has; or one layer.

    Conventions
    -----------
    - Parameters and running statistics are copies. Gradients are zeros.
    - dtype and mode are those of each module. What does not train there (`requires_grad`) does so
      here: `optim.per_parameter` freezes it.
    - Conv1d, MaxPool1d and AvgPool1d become layers of images of one row, between an Unsqueeze and a
      Squeeze. Flatten becomes a Reshape to the entries that the Linear after it takes.
    - torchlite's BatchNormalization and Linear take rows: what has more dimensions wants a Bottle.

    Raises
    ------
    ImportError
        PyTorch is not installed.
    DTypeError
        module is none, or has parts that torchlite has no layer for: all are named, with their
        names there and the reasons.

    Example
    -------
    See docs/pytorch.md.
    """
    torch = imported()
    if not isinstance(module, torch.nn.Module):
        raise fault(DTypeError, "from_torch", "module", "a torch.nn.Module", type(module).__name__)
    back = _Back(torch)
    with random.drawing_from(random.Generator()):
        made = back.made(module, "", [])
    _refuse("from_torch", "module", "modules that torchlite can say", back.problems)
    if len(back.dtypes) == 1:
        # Layers without parameters have one, too.
        made.type(back.dtypes.pop())
    return made


def imported() -> Any:
    """Return the package torch."""
    try:
        import torch
    except ImportError as error:
        raise ImportError("networks of PyTorch need it: pip install torch") from error
    return torch


def _refuse(method: str, argument: str, expected: str, problems: list[str]) -> None:
    if problems:
        got = "\n  ".join(["some that are not", *problems])
        raise fault(DTypeError, method, argument, f"of {expected}", got)


# ---------------------------------------------------------------- there


def says(kind: type) -> str:
    """Return whether networks of a class go to PyTorch and back, in a word or two.

    Example
    -------
    >>> import torchlite as nn
    >>> says(nn.Linear), says(nn.Kmeans)
    ('yes', 'no: its clusters move without gradients')
    """
    name = kind.__name__
    if kind is not getattr(nn, name, None):
        return "no: it is no class of torchlite.nn"
    if name in FUNCTIONS or kind is nn.Sequential or any(pair.ours == name for pair in PAIRS):
        return f"yes, but for {LIMITS[name]}" if name in LIMITS else "yes"
    return f"no: {UNSAID.get(name, _NO_SUCH)}"


def _unsaid(net: Any) -> list[str]:
    """Return what PyTorch cannot say: where, what, and why."""
    problems = []
    arrays: list[Array] = []
    names: dict[int, str] = {}
    met: set[int] = set()

    def look_at(layer: Any, path: str) -> None:
        if id(layer) in met:
            return
        met.add(id(layer))
        no, _, why = says(type(layer)).partition(": ")
        why = why if no == "no" else beyond(layer)
        if why:
            problems.append(f"{path}{type(layer).__name__}: {why}")
        else:
            for key, held in arrays_of(layer).items():
                if not isinstance(held.parts[0], np.ndarray):
                    problems.append(f"{path}{key}: it is on a GPU, from which net.cpu() moves it")
                arrays.extend(held.parts)
                names.update((id(part), f"{path}{key}") for part in held.parts)
            if not pair_of(layer):
                for i, inner in enumerate(layer.modules):
                    look_at(inner, f"{path.rstrip(' ')}[{i}] ")

    look_at(net, "")
    for cover in ties_of(arrays):
        whole = names[id(cover.pair[0])]
        problems += [
            f"{names[id(array)]}: it is a view of {whole}, and PyTorch ties whole parameters only"
            for (array, _), _ in cover.tied
        ]
    return problems


class _There:
    """Makes torch modules of layers; what stands in two places is made once."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._made: dict[int, Any] = {}
        self._tensors: dict[Any, Any] = {}

    def made(self, layer: Any) -> Any:
        if id(layer) not in self._made:
            module = self._new(layer)
            module.training = layer.train
            self._made[id(layer)] = module
        return self._made[id(layer)]

    def _new(self, layer: Any) -> Any:
        if type(layer) is nn.Sequential:
            return self._torch.nn.Sequential(*map(self.made, layer.modules))
        said = pair_of(layer)
        if said:
            pair, settings = said
            module = getattr(self._torch.nn, pair.theirs)(**settings)
            module.torchlite = pair.ours
        else:
            module = layer_class()(layer, [self.made(inner) for inner in layer.modules])
        for name, held in arrays_of(layer).items():
            setattr(module, name, self._tensor(name, held))
        if type(layer) is nn.WeightNorm:
            # Scratch paper, written by each forward.
            inner = module.inside()[0]
            weight = inner.weight.detach()
            del inner.weight
            inner.register_buffer("weight", weight, persistent=False)
        return module

    def _tensor(self, name: str, held: Held) -> Any:
        key = tuple(map(id, held.parts))
        if key not in self._tensors:
            tensor = self._torch.from_numpy(held.values())
            if name not in BUFFERS:
                tensor = self._torch.nn.Parameter(tensor)
            # The parts are kept, so that no others get their ids.
            self._tensors[key] = tensor, held
        return self._tensors[key][0]


# ---------------------------------------------------------------- back


class _Back:
    """Makes layers of torch modules; what stands in two places is made once."""

    def __init__(self, torch: Any) -> None:
        self.problems: list[str] = []
        self.dtypes: set[str] = set()
        self._torch = torch
        self._made: dict[int, Any] = {}
        self._holders: dict[int, tuple[Any, str, Any]] = {}

    def made(self, module: Any, path: str, then: list[Any]) -> Any:
        """Return the layer of a module that stands under a path, before others."""
        if id(module) in self._made:
            layer = self._made[id(module)]
            # What remembers its forward has to be another one in another place.
            return layer.clone(*_shared(layer)) if layer.remembers else layer
        try:
            layer, own = self._new(module, path, then)
            for part in own:
                # To set it on a container would switch all that is in it.
                vars(part)["train"] = module.training
        except (UnsaidError, TorchliteError) as error:
            where = f"{path}: " if path else ""
            reason = str(error).partition("\n")[0]
            self.problems.append(f"{where}{type(module).__name__}: {reason}")
            layer = nn.Identity()
        self._made[id(module)] = layer
        return layer

    def _new(self, module: Any, path: str, then: list[Any]) -> tuple[Any, list[Any]]:
        """Return the layer of a module, and which of its parts stand for the module itself."""
        torch, kind = self._torch, type(module)
        if module._forward_pre_hooks or module._forward_hooks or module._backward_hooks:
            raise UnsaidError("it has hooks")
        if "forward" in vars(module):
            raise UnsaidError("it has a forward of its own")
        if isinstance(module, torch.nn.Sequential) and kind.forward is torch.nn.Sequential.forward:
            net = nn.Sequential(*self._inside(module, path, then))
            return net, [net]
        if kind is layer_class():
            dtype = self._dtype(module)
            self.dtypes.add(dtype)
            layer = rebuilt(module, list(self._inside(module, path, [])), dtype)
            return self._filled(layer, module), [layer]
        name = kind.__name__
        if kind is not getattr(torch.nn, name, None):
            raise UnsaidError("it is no class of torch.nn")
        both = getattr(module, "bidirectional", False)
        if name in COMPOSED:
            layer = COMPOSED[name](module, then)
            parts = layer.listModules()
            for part in parts:
                settle(part, module)
            for n, part in enumerate(part for part in parts if arrays_of(part)):
                # Of a recurrent module, the layers, each with its directions.
                behind = f"_l{n // 2}{'_reverse' * (n % 2)}" if both else f"_l{n}"
                self._filled(part, module, behind)
        else:
            layer = _said(module, name)
            settle(layer, module)
            self._filled(layer, module)
        return layer, layer.listModules()

    def _inside(self, module: Any, path: str, then: list[Any]) -> Iterator[Any]:
        children = list(module._modules.items())
        for i, (name, child) in enumerate(children):
            after = [other for _, other in children[i + 1 :]]
            yield self.made(child, f"{path}.{name}".lstrip("."), [*after, *then])

    def _dtype(self, module: Any) -> str:
        tensors = [*module._parameters.values(), *module._buffers.values()]
        for tensor in tensors:
            if tensor is not None and tensor.is_meta:
                raise UnsaidError("it is on the device meta, where there are no numbers")
            if tensor is not None and (tensor.is_floating_point() or tensor.is_complex()):
                dtype = str(tensor.dtype).removeprefix("torch.")
                if dtype not in _DTYPES:
                    raise UnsaidError(f"it is of {dtype}")
                return dtype
        return "float64"

    def _filled(self, layer: Any, module: Any, behind: str = "_l0") -> Any:
        """Fill a layer with a module's numbers, behind whose names that may stand. Return it."""
        if arrays_of(layer):
            dtype = self._dtype(module)
            self.dtypes.add(dtype)
            layer.type(dtype)
        held = arrays_of(layer)
        tensors = {name: getattr(module, name.replace("_l0", behind)) for name in held}
        values = {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}
        for name, array in biases_added(values).items():
            held[name].fill(array)
            self._share(layer, name, held[name], tensors[name])
        return layer

    def _share(self, layer: Any, name: str, held: Held, tensor: Any) -> None:
        """Let the layer have the arrays of an earlier one that had the same parameter."""
        if name in BUFFERS and not isinstance(tensor, self._torch.nn.Parameter):
            return
        names = own_parameters(layer)
        own: Any = getattr(layer, name, None)
        # What stands in parts, or in another order, has no array to be shared.
        alone = name in names and held.parts[0] is own
        form = own.shape if alone else None
        first, first_name, first_form = self._holders.setdefault(id(tensor), (layer, name, form))
        if first is layer and first_name == name:
            return
        if form is None or form != first_form:
            raise UnsaidError(f"its {name} is another module's, too, and they do not share it here")
        setattr(layer, name, getattr(first, first_name))
        setattr(layer, names[name], getattr(first, own_parameters(first)[first_name]))


def _shared(layer: Any) -> set[str]:
    """Return the names of parameters, gradients and running statistics in a layer."""
    both = (pair for part in layer.listModules() for pair in own_parameters(part).items())
    return {"running_mean", "running_var", *(name for pair in both for name in pair)}


def _said(module: Any, name: str) -> Any:
    """Return a new layer of the class that says a module of torch.nn."""
    pairs = [pair for pair in PAIRS if pair.theirs == name]
    pairs.sort(key=lambda pair: pair.ours != getattr(module, "torchlite", None))
    problem: Exception = UnsaidError(THEIRS.get(name, "torchlite has no such layer"))
    for pair in pairs:
        try:
            return getattr(nn, pair.ours)(*pair.back(module))
        except (UnsaidError, TorchliteError) as error:
            problem = error if pair is pairs[0] else problem
    raise UnsaidError(str(problem))
