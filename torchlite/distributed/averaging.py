"""Training that talks rarely: each rank takes steps of its own, and parameters are averaged."""

from torchlite.distributed.group import Group
from torchlite.kernels.arrays import Array

__all__ = ["average", "average_elastically"]


def average(array: Array, world: Group) -> None:
    """Put the mean over all ranks in the place of an array, in place. All ranks take part.

    Local SGD (McMahan et al., 2017; Stich, 2019): each rank takes some steps on data of its own,
    then the parameters that `getParameters` returned are averaged.

    Example
    -------
    >>> from torchlite import distributed
    >>> with distributed.Group() as world:  # doctest: +SKIP
    ...     for step in range(1000):
    ...         take_a_step(parameters)
    ...         if step % 8 == 7:
    ...             distributed.average(parameters, world)
    """
    world.wait(world.start_sum(array))
    array /= world.size


def average_elastically(parameters: Array, center: Array, alpha: float, world: Group) -> None:
    """Draw parameters and a common center towards each other, in place. All ranks take part.

    Elastic averaging (Zhang et al., 2015; AllReduceEA of Torch7's distlearn). Each rank holds a
    copy of the center, at first of rank 0's parameters::

        difference = alpha * (parameters - center)
        parameters -= difference
        center += the sum over all ranks of difference
    """
    difference = alpha * (parameters - center)
    parameters -= difference
    world.wait(world.start_sum(difference))
    center += difference
