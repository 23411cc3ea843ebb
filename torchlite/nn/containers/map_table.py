"""MapTable."""

import copy
import operator
from typing import Any, Self

import numpy as np

from torchlite.errors import DTypeError, SettingError, StateError, fault
from torchlite.nn import table_checks
from torchlite.nn.containers._branches import Branches
from torchlite.nn.module import Module
from torchlite.nn.nested import is_array, leaves
from torchlite.nn.stateful import parts

__all__ = ["MapTable"]


class MapTable(Branches):
    """One module on every entry of a table, or a copy of its own on each.

    Maths
    -----
    ::

        each = [modules[0], *clones] if shared else modules
        output = [module.updateOutput(entry) for module, entry in zip(each, input)]
        gradInput = [
            module.updateGradInput(entry, gradient)
            for module, entry, gradient in zip(each, input, gradOutput)
        ]

    Shapes
    ------
    input: a table of what the module takes, of any length, another one at every call; output: a
    table with the output of each.

    Parameters
    ----------
    module
        The module; None: `add` brings it later.
    shared
        Whether all entries have the same parameters. False: each entry has a module of its own,
        which starts as a clone of modules[0] and is then trained alone.

    Attributes
    ----------
    modules
        The module; without shared one for each entry, as many as the longest table had so far.
    clones
        With shared, a copy of the module for each entry but the first: every one remembers its own
        forward. They share all arrays with the module (weight, bias, gradWeight, gradBias and
        whatever else it holds), are made when a table is longer than those before, and made anew
        once the module was changed. They are no part of `modules`, of copies and of files.
    inputs, outputs
        After a forward: the entries, and what was returned for each.
    gradOutputs
        After `updateGradInput`: the gradient of each output, by position.

    Conventions
    -----------
    Without shared, `parameters()` grows with the first table that is longer than those before:
    `resize(n)` first, then `getParameters()`, or an optimizer never sees the new ones.

    Remembers its forward; an error makes it forget. Where the `gradInput` of the module is None,
    the gradient of the input is left out and None returned.

    Raises
    ------
    StateError
        input is not that of the last forward; there is no module; another one is added.
    ShapeError, DTypeError
        input is no table, or gradOutput none of its length.
    SettingError
        `resize` to less than 1.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.MapTable(nn.Linear(2, 1))
    >>> net.get(0).weight[:], net.get(0).bias[:] = [[1, 10]], [100]
    >>> x = [np.array([1.0, 2.0]), np.array([3.0, 4.0]), np.array([5.0, 6.0])]
    >>> net.forward(x)
    [array([121.]), array([143.]), array([165.])]
    >>> net.backward(x, [np.ones(1), np.ones(1), np.ones(1)])
    [array([ 1., 10.]), array([ 1., 10.]), array([ 1., 10.])]
    >>> net.get(0).gradWeight
    array([[ 9., 12.]])

    Reference
    ---------
    Torch7, nn/MapTable.lua, where the clones stand in `modules`.
    """

    _single = True
    transient = (*Branches.transient, "clones", "_cloned")
    clones: Any = ()
    # What the module held when the clones were made.
    _cloned: Any = None

    def __init__(self, module: Module | None = None, shared: bool = True) -> None:
        super().__init__(*(() if module is None else (module,)))
        self.shared = shared

    def _deal(self, input: Any) -> list[Any]:
        table_checks.must_be_table(self, "updateOutput", "input", input)
        return list(input)

    def _join_back(self, input: Any, gradInputs: list[Any]) -> Any:
        return gradInputs

    def resize(self, n: int) -> Self:
        """Make modules for tables of n entries, and drop those beyond; forget. Return self."""
        where, expected = f"{type(self).__name__}.resize", "a whole number of at least 1"
        if not isinstance(n, (int, np.integer)):
            raise fault(DTypeError, where, "n", expected, repr(n), layer=self, method="resize")
        if n < 1:
            raise fault(SettingError, where, "n", expected, str(n), layer=self, method="resize")
        if not self.modules:
            raise StateError(
                f"{where}: there are no modules", layer=self, method="resize", hint="add(module)"
            )
        self._forget()
        self._team(n)
        if self.shared:
            del self.clones[n - 1 :]
        else:
            del self.modules[n:]
        return self

    def _team(self, count: int) -> Any:
        if not self.shared:
            while len(self.modules) < count:
                self.modules.append(self.modules[0].clone())
            return self.modules[:count]
        module = self.modules[0]
        held = _held(module)
        known = self._cloned
        if known is None or len(known) != len(held) or not all(map(operator.is_, known, held)):
            self.clones, self._cloned = [], held
        while len(self.clones) < count - 1:
            # What deepcopy finds in its memory, it does not copy.
            self.clones.append(copy.deepcopy(module, _arrays(held)))
        return [module, *self.clones][:count]

    def __repr__(self) -> str:
        if not self.modules:
            return super().__repr__()
        inside = repr(self.modules[0]).replace("\n", "\n        ")
        return f"{type(self).__name__} {{\n  {inside}\n}}"


def _held(module: Module) -> list[Any]:
    """Return what a module and its parts hold that makes them what they are."""
    return [
        value
        for part in parts(module)
        for name, value in vars(part).items()
        if name not in part.transient
    ]


def _arrays(held: list[Any]) -> dict[int, Any]:
    return {id(value): value for value in leaves(held) if is_array(value)}
