"""Batch normalisation by the statistics of all ranks' samples."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from torchlite.distributed.group import Group
from torchlite.kernels.arrays import Array
from torchlite.nn.module import Module
from torchlite.nn.normalization.batch_normalization import BatchNormalization
from torchlite.nn.stateful import parts, shadowed

__all__ = ["SharedStatistics"]


class SharedStatistics:
    """The sums and counts that batch normalisation takes, of all ranks, in with blocks.

    Ranks sum as they meet a layer, in an order beside that of the gradients: these may be on their
    way, and not as many of one rank as of another.
    """

    def __init__(self, world: Group) -> None:
        self._world = world
        # How many values of a feature all ranks have, by layer and the shape of this rank's batch.
        self._counts: dict[tuple[int, Any], int] = {}

    @contextmanager
    def forward(self, net: Module) -> Iterator[None]:
        """Let layers in training normalise by the statistics of all ranks."""
        self._counts = {}
        with shadowed(self._shadows(net, "updateOutput", 1)):
            yield

    @contextmanager
    def backward(self, net: Module, share: float) -> Iterator[None]:
        """Let the layers of the last forward go back through the statistics of all ranks.

        A rank's gradOutput is that of its own mean loss: share of it is that of the whole batch's.
        """
        with shadowed(self._shadows(net, "updateGradInput", share)):
            yield

    def _shadows(
        self, net: Module, method: str, share: float
    ) -> list[tuple[Module, dict[str, Callable[..., Any]]]]:
        return [
            (part, self._of_all(part, method, share))
            for part in parts(net)
            if isinstance(part, BatchNormalization) and part.train
        ]

    def _of_all(
        self, layer: BatchNormalization, method: str, share: float
    ) -> dict[str, Callable[..., Any]]:
        own, count = getattr(layer, method), layer._count
        sum_, products = layer._sum, layer._sum_products

        def counted(batch: Array) -> int:
            key = id(layer), batch.shape
            if key not in self._counts:
                mine = np.array([count(batch) if batch.size else 0])
                self._counts[key] = int(self._total(mine)[0]) or 1
            return self._counts[key]

        # Only inside this method: what accGradParameters sums, and does anew, is this rank's.
        sums: dict[str, Callable[..., Any]] = {
            "_sum": lambda batch: self._total(share * sum_(batch)) / (share or 1),
            "_sum_products": lambda a, b: self._total(share * products(a, b)) / (share or 1),
        }

        def call(*arguments: Any) -> Any:
            with shadowed([(layer, sums)]):
                result = own(*arguments)
            layer._summed = None
            return result

        return {method: call, "_count": counted}

    def _total(self, array: Array) -> Array:
        self._world.wait(self._world.start_sum(array, beside=True))
        return array
