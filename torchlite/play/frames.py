"""What a page sees of a run at one moment, as JSON knows it."""

import base64
import math
from collections.abc import Iterator
from operator import itemgetter
from typing import Any

import numpy as np

from torchlite import random
from torchlite.kernels.arrays import Array
from torchlite.nn import checks
from torchlite.nn.nested import is_array, leaves, map_arrays
from torchlite.nn.tree import walk
from torchlite.play import faults
from torchlite.play.curves import Curve, Samples
from torchlite.play.data import RAISED
from torchlite.play.run import CHOICES, Run
from torchlite.stepping import text
from torchlite.stepping.page import plain
from torchlite.testing.raised import line_of

__all__ = ["View"]

# Of an array, so many entries are shown, those of its first rows; of all arrays so many.
SHOWN = 10_000
SHOWN_IN_ALL = 100_000
# Layers that are unfolded at the beginning.
UNFOLDED = 12
# The side of the picture of a plane, in points; every so manieth is in the pictures of units.
PLANE = 40
COARSE = 2
# Units of a layer that have a picture of the plane.
UNITS = 32
# Of so many samples, drawn once, it is counted how many are right; so many are drawn as points.
JUDGED = 500
POINTS = 400
# Images of the batch that are shown.
IMAGES = 24


class View:
    """How a page looks at a run, and what it keeps of that between two frames.

    Attributes
    ----------
    unfolded
        By position, of which layers somebody wants, or does not want, to see the arrays.
    accuracy
        The share of right answers at the last frame, or None.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.unfolded: dict[str, bool] = {}
        self.accuracy: float | None = None
        self.accuracies = Samples()
        chosen = _drawn(run.input, JUDGED)
        self._judged = [map_arrays(itemgetter(chosen), t) for t in (run.input, run.target)]
        self._plane = _Plane(run) if _is_plane(run.input) else None
        self._unlooked: str | None = None
        images = _is_images(run.input) and run.input[0].ndim == 2
        self.picture = list(run.input.shape[-2:]) if images else None

    def frame(self) -> dict[str, Any]:
        """Return the frame: dicts, lists, numbers and strings; arrays in base64."""
        run = self.run
        with np.errstate(all="ignore"):
            held = run.held()
            layers = self._layers(held)
            plane = self._probed({layer["position"] for layer in layers if layer["open"]})
            return {
                "step": run.steps,
                "epoch": run.epochs,
                "loss": plain(run.loss),
                "accuracy": self.accuracy,
                "curves": {
                    "loss": _curve(run.losses),
                    "accuracy": _curve(self.accuracies),
                },
                "layers": layers,
                "input": [_array("input", a, "input") for a in leaves(run.x) if is_array(a)],
                "target": [_array("target", a, "input") for a in leaves(run.y) if is_array(a)],
                "plane": plane,
                "images": self._images(),
                "pass": _passing(run),
                "trouble": run.trouble or self._unlooked,
            }

    def about(self) -> dict[str, Any]:
        """Return what a frame says besides, and what changes with a reset or a setting alone."""
        run = self.run
        return {
            "settings": run.settings._asdict(),
            "optimizers": CHOICES,
            "broken": self._broken(),
            "criterion": checks.title(run.criterion),
            "samples": len(leaves(run.input)[0]),
            "joined": run.joined,
            "parameters": sum(p.size for p in run.net.parameters()[0]),
        }

    def _broken(self) -> list[dict[str, Any]]:
        return [
            {
                "position": position,
                "layer": checks.title(self.run.layer(position)),
                "fault": name,
                "words": faults.FAULTS[name].words,
                "noticed": self.run.noticed[position],
            }
            for position, name in self.run.broken.items()
        ]

    # ---------------------------------------------------------------- the network asked

    def _probed(self, unfolded: set[str]) -> dict[str, Any] | None:
        """Ask a copy of the network for answers; return the picture of a plane, if it is one."""
        run = self.run
        if run.judge.reads is None and self._plane is None:
            return None
        inputs, targets = self._judged
        self._unlooked, self.accuracy = None, None
        # A layer may draw here, too: who looks changes nothing.
        stream = random.getRNGState()
        try:
            net = run.net.clone().evaluate()
            right = run.judge.right(net.forward(inputs), targets)
            if right is not None:
                self.accuracy = float(right.mean())
                self.accuracies.add(run.steps, self.accuracy)
            return self._plane.picture(net, unfolded) if self._plane is not None else None
        except RAISED as error:
            self._unlooked = (
                f"Evaluating, the network raises {type(error).__name__}: {error}{line_of(error)}"
            )
            return None
        finally:
            # To set it takes far longer than to look.
            if not np.array_equal(stream, random.getRNGState()):
                random.setRNGState(stream)

    # ---------------------------------------------------------------- layers

    def _layers(self, held: Any) -> list[dict[str, Any]]:
        run, left = self.run, SHOWN_IN_ALL
        layers: list[dict[str, Any]] = []
        # Rows of as many entries as an image has are images, up to the first weights.
        picture = self.picture
        for place in walk(run.net):
            position = f"net{place.path}"
            if place.module.modules and not held.get(position):
                continue
            unfolded = self.unfolded.get(position, len(layers) < UNFOLDED)
            arrays = []
            ratios = {}
            for name, array, role in self._arrays(position, held):
                shown = unfolded and array.size > 0 and left > 0
                said = _array(name, array, role, shown)
                if array.ndim == 2 and picture is not None and array.shape[1] == math.prod(picture):
                    said["tile"] = picture
                arrays.append(said)
                left -= min(array.size, SHOWN) if shown else 0
                if role == "update":
                    ratios[name] = plain(run.updates[position, name][1])
            layers.append(
                {
                    "position": position,
                    "layer": checks.title(place.module),
                    "open": unfolded,
                    "arrays": arrays,
                    "ratios": ratios,
                }
            )
            if any(name == "weight" for name in held.get(position, {})):
                picture = None
        return layers

    def _arrays(self, position: str, held: Any) -> Iterator[tuple[str, Array, str]]:
        """Yield name, array and role: parameters with their gradients and updates, then results."""
        here = dict(held.get(position, {}))
        results = {name: here.pop(name) for name in [*here] if _role(name) != "parameter"}
        for name, array in here.items():
            yield name, array, "parameter"
            gradient = f"grad{name[:1].upper()}{name[1:]}"
            if gradient in results:
                yield gradient, results.pop(gradient), "gradient"
            if (position, name) in self.run.updates:
                yield name, self.run.updates[position, name][0], "update"
        for name, array in results.items():
            yield name, array, _role(name)

    def _images(self) -> dict[str, Any] | None:
        run = self.run
        if not _is_images(run.x):
            return None
        x = run.x[:IMAGES]
        answers = run.judge.answers(run.output)
        return {
            # Of colours the mean.
            "pixels": _array("input", x.mean(1) if x.ndim == 4 else x, "input"),
            "classes": None if answers is None else run.judge.classes(run.y)[:IMAGES].tolist(),
            "answers": None if answers is None else answers[:IMAGES].tolist(),
        }


class _Plane:
    """The picture of what a network answers for every point of a plane."""

    def __init__(self, run: Run) -> None:
        self.run = run
        low, high = run.input.min(0), run.input.max(0)
        margin = 0.08 * (high - low) + (high == low)
        self.box = np.stack([low - margin, high + margin], 1).astype(float)
        across, up = (np.linspace(first, last, PLANE) for first, last in self.box)
        # The first line is the uppermost.
        grid = np.stack([a.ravel() for a in np.meshgrid(across, up[::-1])], 1)
        self.points = grid.astype(run.input.dtype)
        chosen = _drawn(run.input, POINTS)
        labels = None if run.judge.reads is None else run.judge.classes(run.target[chosen])
        self.shown = {
            "points": _array("points", run.input[chosen], "input"),
            "labels": None if labels is None else labels.tolist(),
        }

    def picture(self, net: Any, unfolded: set[str]) -> dict[str, Any] | None:
        output = net.forward(self.points)
        if not (is_array(output) and output.size) or len(output) != len(self.points):
            return None
        leaning = self.run.judge.leaning(output)
        if leaning is not None:
            classes, clear = leaning
            drawn = {
                "classes": _bytes(classes, "<i4"),
                "clear": _bytes(255 * clear, "uint8"),
                "kinds": output.shape[1] if self.run.judge.reads == "class" else 2,
            }
        else:
            flat = output.reshape(len(output), -1)
            scaled, largest = _scaled(flat[:, :1])
            drawn = {
                "values": _bytes(127 * scaled, "int8"),
                "largest": largest.item(),
                "outputs": flat.shape[1],
                "labels": None,
            }
        return {
            "box": self.box.tolist(),
            "side": PLANE,
            "coarse": PLANE // COARSE,
            "reads": self.run.judge.reads,
            "units": self._units(net, unfolded),
            **self.shown,
            **drawn,
        }

    def _units(self, net: Any, unfolded: set[str]) -> dict[str, Any]:
        """Return small pictures of what each unit of a layer makes of the plane, by position."""
        squares: dict[str, Array] = {}
        for place in walk(net):
            held: Any = getattr(place.module, "output", None)
            if place.module.modules or f"net{place.path}" not in unfolded:
                continue
            if not is_array(held) or held.ndim != 2:
                continue
            if len(held) == len(self.points) and held.dtype.kind == "f":
                square = held[:, :UNITS].reshape(PLANE, PLANE, -1)[::COARSE, ::COARSE]
                squares[f"net{place.path}"] = square.reshape(-1, square.shape[-1])
        if not squares:
            return {}
        scaled, largest = _scaled(np.concatenate([*squares.values()], 1))
        # One picture after the other.
        pictures, units, first = (127 * scaled.T).astype("int8"), {}, 0
        for position, square in squares.items():
            mine = slice(first, first := first + square.shape[1])
            units[position] = {
                "largest": _bytes(largest[mine], "<f4"),
                "values": _bytes(pictures[mine], "int8"),
            }
        return units


def _passing(run: Run) -> dict[str, Any] | None:
    if run.passing is None or not run.passing.number:
        return None
    step = run.passing.step
    arrays = [
        _array(name, value.values, role)
        for role, values in (
            ("given", step.arguments),
            ("parameter", step.parameters),
            ("result", step.results),
            ("result", step.after),
        )
        for name, value in values.items()
        if getattr(value, "values", None) is not None
    ]
    return {
        "number": step.number,
        "of": len(run.passing.trace),
        "position": step.position,
        "method": step.method,
        "layer": step.layer,
        "maths": text.lines_of(step),
        "arrays": arrays,
    }


# ---------------------------------------------------------------- arrays


def _array(name: str, array: Any, role: str, shown: Any = True) -> dict[str, Any]:
    """Return an array with its numbers: the first rows, if they are many; none if not shown."""
    said: dict[str, Any] = {"name": name, "role": role, "shape": list(array.shape)}
    if not is_array(array) or not isinstance(array, np.ndarray) or array.dtype.kind not in "biuf":
        return said
    if not shown:
        norm = float(np.linalg.norm(array.astype(float, copy=False)))
        return {**said, "norm": plain(norm)}
    if array.size > SHOWN and array.ndim:
        rows = max(1, SHOWN // max(1, array[0].size))
        array = array[:rows]
        if array.size > SHOWN:
            array = array.reshape(-1)[:SHOWN]
        said["of"], said["shape"] = said["shape"], list(array.shape)
    return {**said, "data": _bytes(array, "<f4")}


def _curve(curve: Curve | Samples) -> dict[str, str]:
    return {"steps": _bytes(curve.steps, "<f8"), "values": _bytes(curve.values, "<f4")}


def _bytes(array: Any, dtype: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array, dtype).tobytes()).decode("ascii")


def _scaled(columns: Array) -> tuple[Array, Array]:
    """Return columns divided by their largest size, and these; what is not finite is 0."""
    largest = np.abs(columns).max(0)
    if not np.isfinite(largest).all():
        columns = np.nan_to_num(columns, nan=0, posinf=0, neginf=0)
        largest = np.abs(columns).max(0)
    return columns / np.where(largest > 0, largest, 1), largest


def _role(name: str) -> str:
    if name.startswith("output"):
        return "activation"
    return "gradient" if name.startswith("grad") else "parameter"


def _is_plane(input: Any) -> bool:
    if not is_array(input) or input.ndim != 2 or input.shape[1] != 2 or input.dtype.kind != "f":
        return False
    # Where points are too far from each other, no plane has a width.
    with np.errstate(all="ignore"):
        return bool(np.isfinite(4 * input).all())


def _is_images(input: Any) -> bool:
    if not is_array(input) or input.dtype.kind not in "fiu" or input.ndim not in (3, 4):
        return False
    return min(input.shape[-2:]) > 1 and (input.ndim == 3 or input.shape[1] in (1, 3))


def _drawn(table: Any, most: int) -> Array:
    """Return which rows stand for all: drawn, for classes may alternate, but always the same."""
    count = len(leaves(table)[0])
    return np.sort(np.random.RandomState(0).permutation(count)[:most])
