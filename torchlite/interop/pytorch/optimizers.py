"""What an optimizer remembers, there and back: a training goes on as if nothing had happened."""

import copy
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from torchlite import nn
from torchlite.errors import DTypeError, SettingError, StateError, fault
from torchlite.interop.pytorch.convert import from_torch, imported, to_torch
from torchlite.kernels.arrays import Array

__all__ = ["from_torch_optimizer", "to_torch_optimizer"]


class _Method(NamedTuple):
    """An optimizer that both have.

    Attributes
    ----------
    call
        Its name here.
    config
        Returns the config here of a group of parameters there.
    state
        By the names of arrays in the state here, those there.
    unsaid
        Flags of a group that torchlite does not have.
    """

    call: str
    config: Callable[[dict[str, Any]], dict[str, Any]]
    state: dict[str, str]
    unsaid: tuple[str, ...]


def _sgd(group: dict[str, Any]) -> dict[str, Any]:
    return {
        "learningRate": float(group["lr"]),
        "momentum": group["momentum"],
        "dampening": group["dampening"],
        "weightDecay": group["weight_decay"],
        "nesterov": group["nesterov"],
    }


def _adam(group: dict[str, Any]) -> dict[str, Any]:
    beta1, beta2 = map(float, group["betas"])
    return {
        "learningRate": float(group["lr"]),
        "beta1": beta1,
        "beta2": beta2,
        "epsilon": group["eps"],
        "weightDecay": group["weight_decay"],
    }


_METHODS = {
    "SGD": _Method("optim.sgd", _sgd, {"dfdx": "momentum_buffer"}, ("maximize",)),
    "Adam": _Method(
        "optim.adam",
        _adam,
        {"m": "exp_avg", "v": "exp_avg_sq"},
        ("maximize", "amsgrad", "decoupled_weight_decay"),
    ),
}


def from_torch_optimizer(optimizer: Any, module: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the config and the state with which torchlite goes on where a torch optimizer stands.

    Parameters
    ----------
    optimizer
        A torch.optim.SGD, for `optim.sgd`, or a torch.optim.Adam, for `optim.adam`.
    module
        The module whose parameters it improves: all of them, or all that are not frozen
        (`requires_grad`), in one group.

    Conventions
    -----------
    The state is that of the flat parameters that `from_torch(module).getParameters()` returns, a
    copy; of parameters of which the optimizer remembers nothing, zeros. Adam adds epsilon elsewhere
    than PyTorch's does (`help(optim.adam)`): where gradients are not much larger than epsilon, its
    steps are others. That shows where epsilon is larger than 1e-8.

    Raises
    ------
    ImportError
        PyTorch is not installed.
    DTypeError
        It is another optimizer, or module has parts that torchlite has no layer for.
    SettingError
        The optimizer has a setting that torchlite does not have.
    StateError
        It does not improve all parameters of the module, in one group, each as many times; or they
        are an LSTM's, which has one bias here.
    """
    where = "from_torch_optimizer"
    torch = imported()
    method = _method_of(where, optimizer)
    named = dict(module.named_parameters())
    learning = {name: one for name, one in named.items() if one.requires_grad}
    groups = optimizer.param_groups
    improved = list(map(id, groups[0]["params"])), len(groups)
    if improved not in [(list(map(id, some.values())), 1) for some in (named, learning)]:
        raise StateError(f"{where}: optimizer must improve all parameters of module, in one group")
    for flag in method.unsaid:
        if groups[0].get(flag):
            raise fault(SettingError, where, f"optimizer's {flag}", "False", "True")
    if any("bias_hh" in name for name in named):
        raise StateError(
            f"{where}: the two biases of an LSTM, each with a step of its own, are one"
        )
    known = {name: optimizer.state.get(one, {}) for name, one in named.items()}
    state: dict[str, Any] = {}
    if any(
        said.get(theirs) is not None for said in known.values() for theirs in method.state.values()
    ):
        steps = _steps(where, method, {name: known[name] for name in learning or named}, groups[0])
        for ours, theirs in method.state.items():
            twin = copy.deepcopy(module)
            for one, said in zip(twin.parameters(), known.values(), strict=True):
                remembered = said.get(theirs)
                one.data = (
                    torch.zeros_like(one) if remembered is None else remembered.detach().clone()
                )
            state[ours] = from_torch(twin).getParameters()[0]
        state |= steps
    return method.config(groups[0]), state


def to_torch_optimizer(net: nn.Module, state: dict[str, Any], optimizer: Any) -> Any:
    """Let a torch optimizer remember what one of torchlite does. Return it.

    Parameters
    ----------
    net
        The network whose flat parameters were improved.
    state
        The state of `optim.sgd`, for a torch.optim.SGD, or of `optim.adam`, for a torch.optim.Adam.
    optimizer
        A new one, of `to_torch(net).parameters()`. Its settings are its own: without a dampening
        the momentum stands for it here, and 0 does there.

    Raises
    ------
    ImportError
        PyTorch is not installed.
    DTypeError
        It is another optimizer.
    StateError
        Its parameters are not those of `to_torch(net)`, or the state is that of other parameters,
        or of another optimizer.
    """
    where = "to_torch_optimizer"
    torch = imported()
    method = _method_of(where, optimizer)
    parameters = [one for group in optimizer.param_groups for one in group["params"]]
    remembered: list[dict[str, Any]] = [{} for _ in parameters]
    known = method.state.keys() & state.keys()
    # A config that serves as state holds its own arrays.
    arrays = {name for name, value in state.items() if np.ndim(value)}
    foreign = arrays - {"learningRates", "weightDecays"}
    if known != method.state.keys() and (known or foreign):
        got = f"one of {', '.join(sorted(state))}"
        raise fault(StateError, where, "state", f"that of {method.call}", got)
    for ours, theirs in method.state.items():
        if ours in state:
            twin = to_torch(_holding(where, net, state[ours]))
            tensors = [one.detach().clone() for one in twin.parameters()]
            if [one.shape for one in tensors] != [one.shape for one in parameters]:
                raise StateError(f"{where}: optimizer must improve what to_torch(net) has")
            for said, tensor in zip(remembered, tensors, strict=True):
                said[theirs] = tensor
                if "t" in state:
                    said["step"] = torch.tensor(float(state["t"]))
    for parameter, said in zip(parameters, remembered, strict=True):
        optimizer.state[parameter].update(said)
    return optimizer


def _steps(
    where: str, method: _Method, known: dict[str, dict[str, Any]], group: dict[str, Any]
) -> dict[str, int]:
    """Return how many steps all parameters have behind them, if that matters."""
    (first, *_) = method.state.values()
    missing = [name for name, said in known.items() if said.get(first) is None]
    if group.get("dampening") and missing:
        # A first step is not dampened: nothing is something else than zeros.
        expected = "of all parameters, as there is a dampening"
        got = f"none of {', '.join(missing)}"
        raise fault(StateError, where, "optimizer's momentum", expected, got)
    if not any("step" in said for said in known.values()):
        return {}
    steps = {name: int(said.get("step", 0)) for name, said in known.items()}
    if len(set(steps.values())) > 1:
        got = ", ".join(f"{n} of {name}" for name, n in steps.items())
        hint = "what requires_grad_(False) froze may have had fewer"
        expected = "as many for all parameters"
        raise fault(StateError, where, "optimizer's steps", expected, got, hint=hint)
    return {"t": max(steps.values())}


def _method_of(where: str, optimizer: Any) -> _Method:
    optimizers, name = imported().optim, type(optimizer).__name__
    if name not in _METHODS or type(optimizer) is not getattr(optimizers, name):
        expected = "a torch.optim.SGD or a torch.optim.Adam"
        raise fault(DTypeError, where, "optimizer", expected, name)
    return _METHODS[name]


def _holding(where: str, net: nn.Module, values: Array) -> nn.Module:
    """Return a copy of a network, with values of its flat parameters' size as parameters."""
    twin = net.clone()
    parameters, _ = twin.getParameters()
    if parameters.shape != values.shape:
        got = f"{values.shape} for parameters {parameters.shape}"
        raise fault(StateError, where, "state", "that of net", got)
    parameters[...] = values
    return twin
