"""A recording: its steps, and the ways to look at it."""

import html
from collections.abc import Iterator
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple, SupportsIndex, overload

from torchlite.stepping import diff, json, text

__all__ = ["Recorded", "Step", "Trace"]


@dataclass
class Step:
    """One call of the contract, with copies of what it was given and what it made.

    Attributes
    ----------
    number
        Counts from 1, in the order in which the calls ended: a container's comes after those of
        the modules inside it.
    position, layer, method
        Where (`net[0]`), what is there (`Linear(4 -> 8)`), which method was called.
    time
        Of which step of a sequence it is part, as the recurrent module around it counts: from 0
        since `forget`. None outside of such modules.
    inside
        The numbers of the first and last step that this one consists of, or None.
    arguments, results
        By name: `input`, `gradOutput`, `scale` ...; `output` or `gradInput`. Arrays are `Copy`.
    parameters
        By name, those of a layer, as they were before the call, and the other arrays of which its
        Maths speaks (a mask). Containers list none, but recurrent modules the
        `state` from which a step goes on, and `gates`.
    before, after
        The arrays that the call wrote to, by name: gradients, or parameters for updateParameters.
    maths, shapes
        The lines of the docstring's Maths section that give the results, and the shapes of the
        names in them; empty where there are none.
    """

    number: int
    position: str
    layer: str
    method: str
    inside: tuple[int, int] | None = None
    arguments: dict[str, Any] = field(default_factory=dict)
    results: dict[str, Any] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    maths: list[str] = field(default_factory=list)
    shapes: dict[str, str] = field(default_factory=dict)
    time: int | None = None

    def _repr_html_(self) -> str:
        from torchlite.stepping import notebook

        return notebook.of_step(self)


class Recorded(NamedTuple):
    """What is known of a step where it was recorded; kept in no file.

    call: that whose derivative its gradients are, if any; settings: those of which its Maths
    speaks; held: the names of what the layer holds beside its parameters; kind: its class; where:
    in which place of the memory each parameter lies, by which shared ones are known.
    """

    step: Step
    call: Any
    settings: dict[str, Any]
    held: set[str]
    kind: type
    where: dict[str, int]


class Trace:
    r"""The steps of a recording: a sequence of `Step`, text when printed.

    Attributes
    ----------
    network
        The tree of modules: dicts with position, layer, kind and the modules inside.
    criterion
        The criterion as it prints itself, or None.
    note
        What the recording lacks, and why, or None: under `python -OO` there are no docstrings, and
        so no Maths in it.

    Example
    -------
    >>> import numpy as np
    >>> import torchlite as nn
    >>> from torchlite.stepping import trace
    >>> net = nn.Sequential(nn.Linear(2, 1, bias=False))
    >>> net[0].weight[:] = [[1, 2]]
    >>> steps = trace(net, np.array([[3.0, 4.0]]), nn.MSECriterion(), np.array([[10.0]]))
    >>> [f"{step.method} of {step.position}" for step in steps[:3]]
    ['updateOutput of net[0]', 'updateOutput of net', 'updateOutput of criterion']
    >>> print(str(steps).split("\n\n")[6])
    step 7: accGradParameters of net[0], Linear(2 -> 1) without bias
      gradWeight (1, 2) += scale * gradOutput.T (1, 1) @ input (1, 2)
      input (1, 2)      [[3. 4.]]
      gradOutput (1, 1) [[2.]]
      scale             1
      gradWeight (1, 2) [[6. 8.]]
    """

    def __init__(self, network: Any, criterion: str | None = None, note: str | None = None) -> None:
        self.network = network
        self.criterion = criterion
        self.note = note
        self.steps: list[Step] = []
        # By the number of a step.
        self._recorded: dict[int, Recorded] = {}

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    @overload
    def __getitem__(self, index: SupportsIndex) -> Step: ...

    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...

    def __getitem__(self, index: SupportsIndex | slice) -> Step | list[Step]:
        return self.steps[index]

    def __str__(self) -> str:
        return text.render(self)

    def __repr__(self) -> str:
        return f"<Trace of {len(self)} steps>"

    def _known(self, step: Step) -> Recorded | None:
        """Return what is known of a step; None of one from a file, whose Maths is not to be run."""
        recorded = self._recorded.get(step.number)
        return recorded if recorded is not None and recorded.step is step else None

    def diff(self, other: "Trace", rtol: float = 1e-9) -> diff.Difference | None:
        """Return the first difference of another trace from this one, the reference, or None.

        Numbers are the same when they differ by at most rtol of the largest of their array (1e-5
        for float32). Of arrays without copies, norm, minimum and maximum are compared.
        """
        return diff.compare(self, other, rtol)

    def to_json(self, file: str | PathLike[str]) -> None:
        """Write the trace to a file, for `from_json`."""
        Path(file).write_text(json.dumps(self), encoding="utf-8")

    @classmethod
    def from_json(cls, file: str | PathLike[str]) -> "Trace":
        """Read a trace that `to_json` wrote. What is no such file raises FormatError."""
        trace: Trace = json.loads(Path(file).read_bytes(), cls, Step)
        return trace

    def to_html(self, file: str | PathLike[str], numeric: bool = True) -> None:
        """Write a page that needs nothing but a browser.

        With numeric=False there are no numeric derivatives in it, which take the most time: in a
        chain of layers as much a layer, however many there are. In what is no chain (a network
        that is one large container of the user's own, say) they take longer; what would take many
        seconds is left out, and the page says of which steps.
        """
        Path(file).write_text(self._page(numeric), encoding="utf-8")

    def _page(self, numeric: bool = True) -> str:
        # Here, because formulas need the checker.
        from torchlite.stepping import page

        return page.render(self, numeric)

    def _repr_html_(self) -> str:
        page = html.escape(self._page())
        return (
            f'<iframe srcdoc="{page}" sandbox="allow-scripts" title="Backpropagation, step by step"'
            ' style="width: 100%; height: 46rem; border: 1px solid #888"></iframe>'
        )
