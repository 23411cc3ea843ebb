"""Which stage of a pipeline does what, when: schedules as data, simulated and drawn."""

from typing import NamedTuple

from torchlite.errors import SettingError, fault

__all__ = [
    "Plan",
    "Schedule",
    "Timed",
    "Work",
    "gpipe",
    "must_be_complete",
    "one_f_one_b",
    "simulate",
    "split",
    "zb_h1",
    "zb_h2",
]


class Work(NamedTuple):
    """What a stage does in one go.

    Attributes
    ----------
    kind
        "F": forward. "B": updateGradInput, of which the stage before gets the result. "W":
        accGradParameters. "BW": both, and only then is the result sent.
    stage, micro_batch
        Of which, counted from 0.
    """

    kind: str
    stage: int
    micro_batch: int


# For each stage what it does, in order.
Schedule = list[list[Work]]


def gpipe(stages: int, micro_batches: int) -> Schedule:
    """Return the schedule that does all forwards, then all backwards (Huang et al., 2019).

    Bubble: (p - 1)(F + B + W). Every stage holds all micro-batches.

    Example
    -------
    >>> print(simulate(gpipe(2, 3)))
    0  F0 F1 F2 .. .. .. B0 W0 B1 W1 B2 W2
    1  .. F0 F1 F2 B0 W0 B1 W1 B2 W2 .. ..
    """
    _must_be_counts("gpipe", stages, micro_batches)
    batches = range(micro_batches)
    return [
        [Work(kind, stage, batch) for kind in ("F", "BW") for batch in batches]
        for stage in range(stages)
    ]


def one_f_one_b(stages: int, micro_batches: int) -> Schedule:
    """Return the schedule that does backwards as early as it can (PipeDream, Megatron-LM).

    Bubble: (p - 1)(F + B + W). Stage s holds p - s micro-batches.

    Example
    -------
    >>> print(simulate(one_f_one_b(2, 3)))
    0  F0 F1 .. .. B0 W0 F2 B1 W1 .. B2 W2
    1  .. F0 B0 W0 F1 B1 W1 F2 B2 W2 .. ..
    """
    together = _alternating("one_f_one_b", stages, micro_batches, ahead=1, behind=0)
    return [
        [
            work._replace(kind="BW") if work.kind == "B" else work
            for work in works
            if work.kind != "W"
        ]
        for works in together
    ]


def split(stages: int, micro_batches: int) -> Schedule:
    """Return `one_f_one_b` in which gradInput is sent before the stage accumulates.

    Bubble: (p - 1)(F + B), for nothing. Stage s holds p - s micro-batches.

    Example
    -------
    >>> print(simulate(split(2, 3)))
    0  F0 F1 .. B0 W0 F2 B1 W1 .. B2 W2
    1  .. F0 B0 W0 F1 B1 W1 F2 B2 W2 ..
    """
    return _alternating("split", stages, micro_batches, ahead=1, behind=0)


def zb_h1(stages: int, micro_batches: int) -> Schedule:
    """Return the zero-bubble schedule that holds no more than `one_f_one_b` (Qi et al., 2023).

    Stage s accumulates s micro-batches late, and so is there for the others' backwards. Bubble:
    (p - 1)(F + B - W), where W takes no longer than F or B. Every stage holds p micro-batches.

    Example
    -------
    >>> print(simulate(zb_h1(2, 3)))
    0  F0 F1 .. B0 W0 F2 B1 W1 B2 W2
    1  .. F0 B0 F1 B1 W0 F2 B2 W1 W2
    """
    return _alternating("zb_h1", stages, micro_batches, ahead=1, behind=1)


def zb_h2(stages: int, micro_batches: int) -> Schedule:
    """Return the zero-bubble schedule that fills the bubble with forwards (Qi et al., 2023).

    Bubble: (p - 1)(F + B - 2 W), where W takes no longer than F or B, from 2 p - 1 micro-batches
    on: nothing where the three take equally long. Every stage holds 2 p - 1 micro-batches.

    Example
    -------
    >>> print(simulate(zb_h2(2, 4)))
    0  F0 F1 F2 B0 W0 F3 B1 W1 B2 W2 B3 W3 ..
    1  .. F0 B0 F1 B1 F2 B2 W0 F3 B3 W1 W2 W3
    """
    return _alternating("zb_h2", stages, micro_batches, ahead=2, behind=2)


def _alternating(name: str, stages: int, micro_batches: int, ahead: int, behind: int) -> Schedule:
    """Return a schedule of stages that do one backward and one forward in turn.

    Stage s begins with one forward more than ahead times the stages behind it, and accumulates
    behind * s micro-batches late.
    """
    _must_be_counts(name, stages, micro_batches)
    schedule = []
    for stage in range(stages):
        first = min(micro_batches, 1 + ahead * (stages - stage - 1))
        late = min(micro_batches, behind * stage)
        works = [Work("F", stage, batch) for batch in range(first)]
        for batch in range(micro_batches):
            works.append(Work("B", stage, batch))
            if batch >= late:
                works.append(Work("W", stage, batch - late))
            if batch + first < micro_batches:
                works.append(Work("F", stage, batch + first))
        works += [Work("W", stage, batch) for batch in range(micro_batches - late, micro_batches)]
        schedule.append(works)
    return schedule


# ---------------------------------------------------------------- time


class Timed(NamedTuple):
    """Some work, and from when to when it was done."""

    work: Work
    begin: float
    end: float


def simulate(
    schedule: Schedule, T_F: float = 1, T_B: float = 1, T_W: float = 1, message: float = 0
) -> "Plan":
    """Return when everything happens if forward, B and W take so long on every stage.

    message is how long an array travels from stage to stage.
    """
    for argument, seconds in (("T_F", T_F), ("T_B", T_B), ("T_W", T_W)):
        if not seconds > 0:
            raise fault(SettingError, "simulate", argument, "positive", repr(seconds))
    must_be_complete(schedule)
    lasting = {"F": T_F, "B": T_B, "W": T_W, "BW": T_B + T_W}
    ends: dict[tuple[str, int, int], float] = {}
    timed: list[list[Timed]] = [[] for _ in schedule]
    free = [0.0] * len(schedule)
    # What a stage has done may be all that its neighbours waited for.
    going = list(range(len(schedule)))
    while going:
        stage = going.pop()
        works, before = schedule[stage], len(timed[stage])
        while len(timed[stage]) < len(works):
            work = works[len(timed[stage])]
            needed = _needed(work, len(schedule))
            ready = 0.0
            if needed is not None:
                if needed not in ends:
                    break
                ready = ends[needed] + message * (needed[1] != stage)
            begin = max(free[stage], ready)
            free[stage] = begin + lasting[work.kind]
            for kind in work.kind:
                ends[kind, stage, work.micro_batch] = free[stage]
            timed[stage].append(Timed(work, begin, free[stage]))
        if len(timed[stage]) > before:
            going += [other for other in (stage - 1, stage + 1) if 0 <= other < len(schedule)]
    for stage, works in enumerate(schedule):
        if len(timed[stage]) < len(works):
            stuck = works[len(timed[stage])]
            raise fault(
                SettingError,
                "simulate",
                "schedule",
                "one in which everything has what it needs",
                f"{stuck.kind} of micro-batch {stuck.micro_batch} on stage {stage} without",
            )
    return Plan(timed)


def _needed(work: Work, stages: int) -> tuple[str, int, int] | None:
    """Return what must be done before, as (kind, stage, micro_batch)."""
    kind, stage, batch = work
    if kind == "F":
        return ("F", stage - 1, batch) if stage else None
    if kind == "W":
        return "B", stage, batch
    return ("F", stage, batch) if stage == stages - 1 else ("B", stage + 1, batch)


class Plan:
    """Who did what when: simulated, or measured.

    Attributes
    ----------
    stages
        For each stage its `Timed` work, in order.

    Example
    -------
    >>> plan = simulate(one_f_one_b(4, 8))
    >>> plan.bubble, plan.duration, plan.held
    (9.0, 33.0, [4, 3, 2, 1])
    """

    def __init__(self, stages: list[list[Timed]]) -> None:
        self.stages = stages

    @property
    def duration(self) -> float:
        """From the first beginning to the last end."""
        return max(works[-1].end for works in self.stages) - self._begin

    @property
    def _begin(self) -> float:
        return min(works[0].begin for works in self.stages)

    @property
    def bubble(self) -> float:
        """How long the stage that takes longest, from its beginning to its end, waits in between.

        That is what counts where one batch follows the other.
        """
        spans = [works[-1].end - works[0].begin for works in self.stages]
        longest = max(range(len(spans)), key=spans.__getitem__)
        return spans[longest] - sum(end - begin for _, begin, end in self.stages[longest])

    @property
    def share(self) -> float:
        """The bubble, of the whole time of that stage."""
        return self.bubble / max(works[-1].end - works[0].begin for works in self.stages)

    @property
    def held(self) -> list[int]:
        """For each stage, of how many micro-batches it holds the activations at most."""
        most = []
        for works in self.stages:
            now = peak = 0
            for (kind, _, _), _, _ in works:
                now += kind == "F"
                peak = max(peak, now)
                now -= "W" in kind
            most.append(peak)
        return most

    def __str__(self) -> str:
        """Draw it: a line a stage, a column for each unit of time."""
        width = max(len(f"F{work.micro_batch}") for works in self.stages for work, _, _ in works)
        first = self._begin
        unit = min(
            (end - begin) / len(work.kind) for works in self.stages for work, begin, end in works
        )
        # What was measured holds moments of which there are thousands.
        unit = max(unit, self.duration / _COLUMNS)
        lines = []
        for stage, works in enumerate(self.stages):
            columns = ["." * width] * round(self.duration / unit)
            for work, begin, end in works:
                at, lasts = round((begin - first) / unit), (end - begin) / len(work.kind)
                for kind in work.kind:
                    name = f"{kind}{work.micro_batch}".ljust(width)
                    until = at + round(lasts / unit)
                    columns[at:until] = [name] * (until - at)
                    at = until
            lines.append(f"{stage}  " + " ".join(columns).rstrip())
        return "\n".join(lines)

    def to_svg(self, width: int = 960) -> str:
        """Return the picture as SVG: a row a stage, time to the right."""
        first = self._begin
        scale = width / self.duration
        height = _ROW * len(self.stages)
        drawn = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'font-family="sans-serif" font-size="11" text-anchor="middle">'
        ]
        for stage, works in enumerate(self.stages):
            for work, begin, end in works:
                x, wide = (begin - first) * scale, (end - begin) * scale
                drawn.append(
                    f"<g><title>{work.kind} of micro-batch {work.micro_batch} on stage {stage}: "
                    f"{begin - first:.4g} to {end - first:.4g}</title>"
                    f'<rect x="{x:.2f}" y="{_ROW * stage + 1}" width="{wide:.2f}" '
                    f'height="{_ROW - 2}" fill="{_COLOURS[work.kind]}" stroke="white"/>'
                    f'<text x="{x + wide / 2:.2f}" y="{_ROW * stage + 15}">'
                    f"{work.micro_batch if wide > 14 else ''}</text></g>"
                )
        return "\n".join([*drawn, "</svg>"])


# The most columns of a text, the height of a stage, and what stands for what.
_COLUMNS = 1000
_ROW = 22
_COLOURS = {"F": "#9ecae1", "B": "#fdae6b", "W": "#a1d99b", "BW": "#fdd0a2"}


def _must_be_counts(name: str, stages: int, micro_batches: int) -> None:
    for argument, count in (("stages", stages), ("micro_batches", micro_batches)):
        if not isinstance(count, int) or count < 1:
            expected = "a whole number, at least 1"
            raise fault(SettingError, name, argument, expected, repr(count))


def must_be_complete(schedule: Schedule) -> None:
    """Raise unless each stage does all of every micro-batch, once.

    Raises
    ------
    SettingError
        It does not.
    """
    if not any(schedule):
        raise fault(SettingError, "schedule", "work", "some", "none")
    batches = list(range(1 + max(work.micro_batch for works in schedule for work in works)))
    for stage, works in enumerate(schedule):
        for kind in "FBW":
            done = sorted(work.micro_batch for work in works if kind in work.kind)
            if done != batches:
                got = f"{kind} of {done} on stage {stage}"
                expected = f"{kind} of each of {len(batches)} micro-batches once on each stage"
                raise fault(SettingError, "schedule", "work", expected, got)
        if any(work.stage != stage for work in works):
            got = f"another's in row {stage}"
            raise fault(SettingError, "schedule", "work", "in the row of its stage", got)
