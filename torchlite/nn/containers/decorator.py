"""Decorator."""

from typing import Any

from torchlite.errors import DTypeError, fault
from torchlite.nn._remembering import Remembering
from torchlite.nn.container import Container
from torchlite.nn.containers._branches import Branches
from torchlite.nn.module import Module, fails_anywhere

__all__ = ["Decorator"]


class Decorator(Branches):
    """One module, wrapped: a subclass does something of its own around it.

    Maths
    -----
    ::

        output = modules[0].updateOutput(input)
        gradInput = modules[0].updateGradInput(input, gradOutput)

    Shapes
    ------
    Those of the module.

    Parameters
    ----------
    module
        The module.

    Conventions
    -----------
    Remembers its forward, as all containers do. Hands on arrays as they are.

    Raises
    ------
    StateError
        input is not that of the last forward; another module is added.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.Decorator(nn.ReLU())
    >>> net
    Decorator @ ReLU
    >>> net.forward(np.array([-1.0, 2.0]))
    array([0., 2.])

    Reference
    ---------
    Torch7, nn/Decorator.lua.
    """

    _single = True

    def __init__(self, module: Module) -> None:
        super().__init__(module)

    @staticmethod
    def decorate(cls: Any) -> Any:
        """Give a class of containers a Decorator's methods where it has none itself; return it.

        Its instances then hand everything on to their first module, whatever they inherit.

        Example
        -------
        >>> import torchlite as nn
        >>> @nn.Decorator.decorate
        ... class Logged(nn.Sequential):
        ...     pass
        >>> Logged(nn.ReLU())
        Logged @ ReLU
        """
        if not (isinstance(cls, type) and issubclass(cls, Container)):
            got = cls.__name__ if isinstance(cls, type) else repr(cls)
            raise fault(DTypeError, "Decorator.decorate", "cls", "a class of containers", got)
        # insert builds on the class that it stands in; what a class says of itself is its own.
        left = {"insert", "decorate", "_validates", *vars(cls)}
        for base in (Remembering, Branches, Decorator):
            for name, value in vars(base).items():
                if name not in left and (name == "__repr__" or not name.startswith("__")):
                    setattr(cls, name, value)
        # Containers around it know nothing of what such a class does.
        if not issubclass(cls, Remembering):
            cls._look_ahead = fails_anywhere
        cls.transient = tuple(dict.fromkeys((*cls.transient, *Decorator.transient)))
        return cls

    def _join(self, input: Any, outputs: list[Any]) -> Any:
        return outputs[0]

    def _deal_back(self, method: str, gradOutput: Any) -> list[Any]:
        return [gradOutput]

    def _join_back(self, input: Any, gradInputs: list[Any]) -> Any:
        return gradInputs[0]

    def __repr__(self) -> str:
        inside = repr(self.modules[0]) if self.modules else "{ }"
        return f"{type(self).__name__} @ {inside}"
