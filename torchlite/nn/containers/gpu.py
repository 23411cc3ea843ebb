"""GPU."""

from torchlite.nn import checks
from torchlite.nn.containers.decorator import Decorator
from torchlite.nn.module import Module

__all__ = ["GPU"]


class GPU(Decorator):
    """A module that Torch7 would put on a graphics card: a pass-through.

    It is there so that networks which name devices can be built and run as they are. A whole
    network goes to one device by its method `cuda`.

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
    device, outdevice
        The numbers of the devices for the module and for its output, which are kept and mean
        nothing. outdevice None: as device.

    Attributes
    ----------
    device, outdevice
        As they were given.

    Conventions
    -----------
    Remembers its forward, as all containers do. Hands on arrays as they are. The numbers of
    devices are names and stay as they are, also where all else counts from 0.

    Raises
    ------
    StateError
        input is not that of the last forward; another module is added.
    DTypeError, SettingError
        A device is not an integer of at least 0.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> net = nn.GPU(nn.ReLU(), 1)
    >>> net
    GPU(1) @ ReLU
    >>> net.forward(np.array([-1.0, 2.0]))
    array([0., 2.])

    Reference
    ---------
    Torch7, nn/GPU.lua.
    """

    def __init__(self, module: Module, device: int, outdevice: int | None = None) -> None:
        super().__init__(module)
        self.device = checks.size(self, "device", device)
        self.outdevice = (
            self.device if outdevice is None else checks.size(self, "outdevice", outdevice)
        )

    def __repr__(self) -> str:
        name, _, inside = super().__repr__().partition(" @ ")
        return f"{name}({self.device}) @ {inside}"
