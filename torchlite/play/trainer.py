"""The one thread that touches a run: it takes commands, trains, and makes what pages are shown."""

import json
import math
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from time import perf_counter, thread_time
from typing import Any

import numpy as np

from torchlite import random
from torchlite.errors import SettingError, StateError, fault
from torchlite.play import faults, saved
from torchlite.play.data import RAISED, Problem
from torchlite.play.frames import View
from torchlite.play.run import Run
from torchlite.stepping import trace
from torchlite.stepping.page import plain, render
from torchlite.testing.raised import line_of

__all__ = ["Trainer"]

# Updates a second, at first: so that one sees the network learn.
SPEED = 100.0
# Pages get so many frames a second at most, and making and sending them takes at most this part of
# the time that is left to the training.
FRAMES = 30
SHARE = 0.06
# When nobody has looked for so many seconds, the training pauses.
PATIENCE = 10.0
# Who has asked within so many seconds looks still.
RECENT = 1.0
# A command that has not been done after so many seconds was given to a network that computes on.
LONGEST = 60.0
# How fast it goes is measured over so many seconds.
WINDOW = 0.5
# Of so many frames the story of a run is told.
KEPT = 40


@dataclass
class _Measured:
    """What happened since a moment: from which step on, how many frames, and what they took."""

    since: float
    steps: int
    frames: int = 0
    took: float = 0.0


class Trainer:
    """Trains in a thread of its own, for as many pages as look at it.

    Everything that is done to the run is done by that thread, between two updates; so nothing else
    needs a lock. A frame is made when somebody waits for it, and after it the training has far more
    than ten times as long as that takes.

    Parameters
    ----------
    problems
        What can be chosen; the first is what is begun with.
    seed
        Where random numbers start.

    Attributes
    ----------
    run
        The run; of other threads, none may touch it while the trainer runs.

    Example
    -------
    >>> from torchlite.play import PROBLEMS, Trainer
    >>> with Trainer([PROBLEMS["xor"]]) as trainer:
    ...     done = trainer.do({"do": "step"})
    ...     frame = json.loads(trainer.next(0))
    >>> done, frame["step"], frame["running"]
    ({'ok': True}, 1, False)
    """

    def __init__(self, problems: list[Problem], seed: int = 0) -> None:
        self.problems = {problem.name: problem for problem in problems}
        self.running = False
        # Updates a second, or None: as many as there can be.
        self.speed: float | None = SPEED
        self.said: str | None = None
        self.raised: str | None = None
        self._commands: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None]
        self._commands = queue.SimpleQueue()
        self._published = threading.Condition()
        self._number = 0
        self._text = ""
        self._waiting = 0
        self._asked = perf_counter()
        self._closed = False
        self._over = "play: the program has ended"
        self._runs = 0
        self._idled = self._charged = 0.0
        self._kept: list[str] = []
        self._every = 1
        self._thread = threading.Thread(target=self._work, name="torchlite play", daemon=True)
        self._begin(Run(problems[0], seed))

    def _begin(self, run: Run) -> None:
        self.run, self.view = run, View(run)
        self._runs += 1
        self._changed = True
        self._due = self._step_due = 0.0
        self._affordable = -math.inf
        self._measured = _Measured(perf_counter(), 0)
        self._pace = {"steps": 0.0, "frames": 0.0, "share": 0.0}
        self._kept, self._every, self._made = [], 1, 0
        self.said = self.raised = None
        self._guarded(run.look)

    # ---------------------------------------------------------------- from any thread

    def __enter__(self) -> "Trainer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self, words: str = "") -> None:
        """End the thread; who waits for something is told that there is nothing more, in words."""
        with self._published:
            if words and not self._closed:
                self._over = f"{self._over}; {words}"
            self._closed = True
            self._commands.put(None)
            self._published.notify_all()
        if self._thread.is_alive():
            # A network that computes for long is not waited for: the thread ends with the program.
            self._thread.join(timeout=2)

    def do(self, command: dict[str, Any]) -> dict[str, Any]:
        """Have a command done; return its answer: {"ok": True, ...}, or ok False and an error."""
        try:
            answer: dict[str, Any] = self._ask(lambda: self._done(command))
        except StateError as error:
            return {"ok": False, "error": str(error)}
        return answer

    def page(self) -> str:
        """Return the current batch's forward and backward as a page to step through."""
        page: str = self._ask(self._stepped)
        return page

    def story(self) -> str:
        """Return the run up to now as a page that needs no program: frames that were kept of it."""
        page: str = self._ask(self._told)
        return page

    def save(self, file: str | PathLike[str]) -> None:
        """Write the run up to now to a file, as a page that needs no program."""
        Path(file).write_text(self.story(), encoding="utf-8")

    def _ask(self, call: Callable[[], Any]) -> Any:
        """Have the thread call something, and return what that returns, or raise what it raises."""
        done: Future[Any] = Future()
        with self._published:
            self._must_live()
            self._commands.put((call, done))
        try:
            return done.result(LONGEST)
        except TimeoutError:
            seconds = f"{LONGEST:g} seconds"
            raise StateError(f"play: the network has been computing for {seconds}") from None

    def _must_live(self) -> None:
        if self._closed:
            raise StateError(self._over)
        if self._thread.ident is None:
            raise StateError("play: the trainer has not been started: use it in a with statement")

    def next(self, after: int, timeout: float = PATIENCE) -> str | None:
        """Return the first frame with a greater number, as JSON; None if there is none in time.

        Raises
        ------
        StateError
            The trainer has been closed, or has not been started.
        """
        with self._published:
            self._must_live()
            self._asked = perf_counter()
            self._waiting += 1
            self._commands.put(None)
            try:
                self._published.wait_for(lambda: self._number > after or self._closed, timeout)
                self._asked = perf_counter()
                self._must_live()
                return self._text if self._number > after else None
            finally:
                self._waiting -= 1

    def told(self, after: int) -> str | None:
        """Return what a page is told: the `next` frame, or where there is none, {"over": why}."""
        try:
            return self.next(after)
        except StateError as error:
            return json.dumps({"over": str(error)})

    @property
    def watched(self) -> bool:
        """Whether a page waits for a frame, or has a moment ago."""
        return self._waiting > 0 or (self._number > 0 and perf_counter() - self._asked < RECENT)

    def charge(self, seconds: float) -> None:
        """Count what a thread worked to send a frame as time that the next one takes."""
        with self._published:
            self._charged += seconds

    # ---------------------------------------------------------------- in the thread

    def _work(self) -> None:
        try:
            # The page tells of NaN and infinities.
            with np.errstate(all="ignore"):
                while not self._closed:
                    frame = self._until_frame() if self._changed and self._waiting else math.inf
                    self._obey(frame)
                    if self.running:
                        self._train()
                    if not frame:
                        self._publish()
        except BaseException as error:
            self._over = f"{self._over}: {type(error).__name__}: {error}{line_of(error)}"
        finally:
            self._end()

    def _end(self) -> None:
        """Tell whoever waits, or asks from now on, that there is nothing more."""
        with self._published:
            self._closed = True
            self._published.notify_all()
        while not self._commands.empty():
            asked = self._commands.get()
            if asked is not None:
                asked[1].set_exception(StateError(self._over))

    def _obey(self, frame: float) -> None:
        """Do what is asked for; wait for that, until there is a step or a frame to be made."""
        step = max(0.0, self._step_due - perf_counter()) if self.running else math.inf
        wait = min(frame, step, 3600)
        begin = perf_counter() if wait else 0.0
        try:
            asked = self._commands.get(timeout=wait) if wait else self._commands.get_nowait()
        except queue.Empty:
            return
        finally:
            if wait:
                self._idled += perf_counter() - begin
        if asked is not None:
            call, done = asked
            try:
                done.set_result(call())
            except BaseException as error:
                done.set_exception(error)

    def _until_frame(self) -> float:
        """Return how long at least the next frame must wait, for time's or the training's sake."""
        wait = self._due - perf_counter()
        # The thread's clock takes far longer to read, and is asked after every step.
        if wait <= 0 and self.running:
            wait = self._affordable - self._clock()
        return max(0.0, wait)

    def _clock(self) -> float:
        """Return how long this thread has worked or had nothing to do.

        How long it waits for the processor depends on others, who make training and frames slower.
        """
        return thread_time() + self._idled

    def _train(self) -> None:
        now = perf_counter()
        if now < self._step_due:
            return
        if not self._waiting and now - self._asked > PATIENCE:
            self.running = False
            self.said = f"Training paused: nobody had looked for {PATIENCE:g} seconds."
            return
        self._step_due = max(self._step_due, now - 0.1) + 1 / self.speed if self.speed else 0.0
        self._step(self._shown_next(now))

    def _shown_next(self, now: float) -> bool:
        """Tell whether a frame may be made before the step after this one, and show its update."""
        if not self.speed:
            return self._waiting > 0 and not self._until_frame()
        return now - self._asked < PATIENCE and self._until_frame() <= 1 / self.speed

    def _step(self, watched: bool) -> None:
        self._guarded(lambda: self.run.step(watched))
        if self.raised or self.run.trouble:
            self.running = False

    def _guarded(self, call: Callable[[], Any]) -> Any:
        """Call what runs the user's code; what it raises is told, and ends nothing."""
        self._changed = True
        self.raised = None
        try:
            return call()
        except RAISED as error:
            notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
            self.raised = f"{type(error).__name__}: {error}{line_of(error)}{notes}"
            return None

    def _publish(self) -> None:
        now, begin = perf_counter(), self._clock()
        text = self._framed(now)
        end = self._clock()
        with self._published:
            took, self._charged = end - begin + self._charged, 0.0
        self._due, self._affordable = now + 1 / FRAMES, end + took / SHARE
        self._keep(text)
        with self._published:
            self._number += 1
            self._text = text
            self._changed = False
            self._published.notify_all()
        self._measured.frames += 1
        self._measured.took += took

    def _framed(self, now: float) -> str:
        self._measure(now)
        frame = {
            "frame": self._number + 1,
            "run": self._runs,
            "running": self.running,
            "speed": self.speed,
            "pace": self._pace,
            "problem": self.run.problem.name,
            "problems": [
                {"name": problem.name, "words": problem.words} for problem in self.problems.values()
            ],
            "said": self.said,
            **self.view.about(),
            **self.view.frame(),
        }
        if self.raised:
            frame["trouble"] = self.raised
        return json.dumps(frame, allow_nan=False)

    def _measure(self, now: float) -> None:
        """Say how much there was in a second, of the last half second or more."""
        measured = self._measured
        passed = now - measured.since
        if passed > WINDOW:
            self._pace = {
                "steps": (self.run.steps - measured.steps) / passed,
                "frames": measured.frames / passed,
                "share": measured.took / passed,
            }
            self._measured = _Measured(now, self.run.steps)

    def _keep(self, text: str) -> None:
        if self._made % self._every == 0:
            self._kept.append(text)
            if len(self._kept) > KEPT:
                self._kept[:] = self._kept[::2]
                self._every *= 2
        self._made += 1

    def _told(self) -> str:
        now = self._framed(perf_counter()) if self._changed else self._text
        return saved.page(self._kept if now in self._kept[-1:] else [*self._kept, now])

    def _stepped(self) -> str:
        run = self.run
        stream = random.getRNGState()
        try:
            net = faults.clone(run.net)
            net.zeroGradParameters()
            return render(trace(net, run.x, run.criterion.clone(), run.y))
        finally:
            random.setRNGState(stream)

    # ---------------------------------------------------------------- commands

    def _done(self, command: Any) -> dict[str, Any]:
        try:
            if not isinstance(command, dict):
                raise fault(SettingError, "play", "a command", "an object", repr(command))
            name, given = command.get("do"), {k: v for k, v in command.items() if k != "do"}
            known: dict[Any, Callable[..., Any]] = {
                "train": self._start,
                "pause": self._pause,
                "step": self._one_step,
                "call": self._one_call,
                "reset": self._reset,
                "set": self._set,
                "edit": self._edit,
                "open": self._open,
                "break": self._break,
                "faults": lambda: {"faults": self.run.faults()},
            }
            if name not in known:
                expected = f"one of {', '.join(known)}"
                raise fault(SettingError, "play", "what to do", expected, repr(name))
            self._changed = True
            self.said = None
            return {"ok": True, **(known[name](**given) or {})}
        except RAISED as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}{line_of(error)}"}

    def _start(self) -> None:
        self.running = True
        self._measured = _Measured(perf_counter(), self.run.steps)
        self._step_due = 0.0

    def _pause(self) -> None:
        self.running = False

    def _one_step(self) -> None:
        self.running = False
        self._step(True)

    def _one_call(self) -> None:
        self.running = False
        self._guarded(self.run.one_call)

    def _reset(self) -> None:
        self.running = False
        self.run.reset()
        self._begin(self.run)

    def _set(self, problem: str | None = None, **settings: Any) -> None:
        speed = settings.pop("speed", self.speed)
        number = isinstance(speed, (int, float)) and not isinstance(speed, bool)
        if speed is not None and not (number and 0 < speed < math.inf):
            expected = "a number greater than 0, or null"
            raise fault(SettingError, "play", "speed", expected, repr(speed))
        speed = speed and float(speed)
        before, stream = self.run.settings.seed, random.getRNGState()
        passing = self.run.passing
        try:
            run = self.run if problem is None else self._chosen(problem)
            if settings:
                run.set(**settings)
        except BaseException:
            random.setRNGState(stream)
            raise
        if speed != self.speed:
            self.speed = speed
            self._step_due = 0.0
        if run is not self.run or run.settings.seed != before:
            self.running = False
            self._begin(run)
        elif run.passing is not passing:
            # Of the pass that is given up the batch stays.
            self._guarded(run.look)

    def _chosen(self, problem: str) -> Run:
        if problem not in self.problems:
            expected = f"one of {', '.join(self.problems)}"
            raise fault(SettingError, "play", "problem", expected, repr(problem))
        return Run(self.problems[problem], self.run.settings.seed)

    def _edit(self, position: str, name: str, index: int, value: float) -> dict[str, Any]:
        if self.running:
            raise StateError("play: pause the training before a number is changed")
        change = self.run.edit(position, name, index, value)
        old, new, before, after = (f"{number:.4g}" for number in change[1:])
        place = ", ".join(str(i) for i in change.place)
        self.said = (
            f"{position}.{name}[{place}]: {old} → {new}; the loss of this batch: {before} → {after}"
        )
        return {"old": plain(change.old), "new": plain(change.new)}

    def _break(self, position: str, fault: str | None) -> dict[str, Any]:
        noticed = self.run.break_it(position, fault)
        self._guarded(self.run.look)
        return {"noticed": noticed}

    def _open(self, position: str, open: bool) -> None:
        self.run.layer(position)
        self.view.unfolded[position] = bool(open)
