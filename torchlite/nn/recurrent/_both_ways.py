"""What several modules are made of that run over a sequence both ways, and how they are printed."""

from collections.abc import Iterable, Sequence
from typing import Any, Self

from torchlite.nn.module import Module
from torchlite.nn.recurrent.reverse_unreverse import ReverseUnreverse
from torchlite.nn.recurrent.sequencer import Sequencer
from torchlite.nn.table.join_table import JoinTable

__all__ = ["BothWays", "directions", "listed", "over_steps", "step_merge"]


class BothWays:
    """What has a module that runs ahead, and one that runs on the sequence turned around."""

    def _directions(self) -> Sequence[Any]:
        """Return the two, the second inside a ReverseUnreverse."""
        raise NotImplementedError

    def getForward(self) -> Module:
        """Return what runs from the first step on."""
        ahead: Module = self._directions()[0]
        return ahead

    def getBackward(self) -> Module:
        """Return what runs from the last step back, on the sequence turned around."""
        back: Module = self._directions()[1].getModule()
        return back

    def remember(self, mode: str = "both") -> Self:
        """Say when forward goes on from the state of the sequence before. Return self.

        mode: 'both' in training and evaluation, 'train' or 'eval' in one of the two, or 'neither'.
        """
        self.getForward().remember(mode)
        self.getBackward().remember("neither")
        return self


def directions(forward: Module, backward: Module | None) -> tuple[Module, ReverseUnreverse]:
    """Return the two that run over sequences: one ahead, one back."""
    if backward is None:
        backward = forward.clone().reset()
    return over_steps(forward), ReverseUnreverse(over_steps(backward))


def over_steps(module: Module) -> Module:
    """Return a module that runs over sequences: itself if it does, else a Sequencer of it."""
    return module if getattr(module, "_runs_steps", False) else Sequencer(module)


def step_merge(merge: Any) -> Module:
    """Return what makes one array of the two of a step: a module, or n for JoinTable(0, n)."""
    if isinstance(merge, Module):
        return merge
    return JoinTable(0, 1 if merge is None else merge)


def listed(layer: Module, named: Iterable[tuple[str, Module]]) -> str:
    """Return how a layer prints itself whose modules have names."""
    lines = [f"\n  {name}: " + repr(part).replace("\n", "\n    |    ") for name, part in named]
    return f"{type(layer).__name__} {{{''.join(lines)}\n}}"
