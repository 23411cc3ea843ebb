"""What is known of each class: how ONNX says it, or why it cannot.

A rule adds the nodes of a layer, and returns the name of its output. It gets the Graph, the layer,
the Values of the input, and nameless Values of the output, whose shapes the layer itself has told.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from torchlite.interop.onnx.graph import Graph

__all__ = ["Entry", "composed", "entry_of", "known", "passing", "refused", "rule"]

Say = Callable[[Graph, Any, Any, Any], Any]

# What a class may have in its own way without another output.
_HARMLESS = frozenset(
    {
        "exempt",
        "accGradParameters",
        "accUpdateGradParameters",
        "reset",
        "updateGradInput",
        "updateParameters",
        "zeroGradParameters",
    }
)


class Entry(NamedTuple):
    """What is known of a class.

    Attributes
    ----------
    say
        The rule; None for a class that hands Values on by its own updateOutput.
    composed
        Whether the rule returns Values, which other layers have made.
    but
        What of it cannot be said; of a class that cannot be said at all, why.
    refused
        Whether that is so.
    """

    say: Any = None
    composed: bool = False
    but: str = ""
    refused: bool = False


known: dict[type, Entry] = {}


def rule(*kinds: type, but: str = "") -> Callable[[Say], Say]:
    """Note a rule for classes; but: what of them it refuses."""

    def noted(say: Say) -> Say:
        known.update(dict.fromkeys(kinds, Entry(say, but=but)))
        return say

    return noted


def composed(*kinds: type, but: str = "") -> Callable[[Any], Any]:
    """Note a rule that is made of other layers: it gets Graph, layer and input, returns Values."""

    def noted(say: Any) -> Any:
        known.update(dict.fromkeys(kinds, Entry(say, True, but)))
        return say

    return noted


def passing(*kinds: type) -> None:
    """Note classes that hand on what they are given, or give it to what is inside, as it is."""
    known.update(dict.fromkeys(kinds, Entry()))


def refused(why: str, *kinds: type) -> None:
    """Note why ONNX cannot say some classes."""
    known.update(dict.fromkeys(kinds, Entry(but=why, refused=True)))


def entry_of(kind: type) -> Entry:
    """Return what is known of a class, or of the one that it adds nothing to."""
    own: set[str] = set()
    why = "what a class of your own computes is not known"
    for base in kind.__mro__:
        if base in known:
            changed = sorted(own & {*dir(base)} - _HARMLESS)
            if not changed:
                return known[base]
            why = f"what its own {', '.join(changed)} computes is not known"
            break
        for name, value in vars(base).items():
            method = callable(value) or isinstance(value, (property, classmethod, staticmethod))
            if method and not name.startswith("__"):
                own.add(name)
    if kind.__module__.startswith("torchlite."):
        why = "there is no rule for it"
    return Entry(but=why, refused=True)
