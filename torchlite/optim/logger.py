"""Logger."""

import sys
import time
from collections.abc import Mapping, Sequence
from numbers import Real
from os import PathLike
from pathlib import Path
from typing import Any, Self

from torchlite.errors import DTypeError, SettingError, ShapeError, StateError, fault

__all__ = ["Logger"]


class Logger:
    r"""Writes numbers to a text file, a row at a time, and draws them.

    Parameters
    ----------
    filename
        The file, which is emptied; folders on the way are made. None: rows go to standard output,
        as in Torch7, but no warning goes before them.
    timestamp
        Append the time to the name, so that nothing is overwritten.

    Attributes
    ----------
    path
        The file, or None.
    names, symbols
        The names of the columns, and by name the list of what was added.

    Conventions
    -----------
    Columns end in a tab; numbers are written as '%11.4e'. Columns without names are called 1, 2,
    and so on. The file is opened for each row, so that nothing is lost when the program is.

    Raises
    ------
    ShapeError, DTypeError, StateError, SettingError
        A row does not fit, or comes too early or too late. Nothing has been written then.

    Example
    -------
    >>> from torchlite import optim
    >>> logger = optim.Logger()
    >>> logger.setNames(["loss", "accuracy"]).add([0.5, 10])
    loss    accuracy
    5.0000e-01  1.0000e+01
    >>> logger.symbols
    {'loss': [0.5], 'accuracy': [10]}

    Reference
    ---------
    Torch7, optim/Logger.lua.
    """

    def __init__(
        self, filename: str | PathLike[str] | None = None, timestamp: bool = False
    ) -> None:
        self.path: Path | None = None
        if filename is not None:
            path = Path(filename)
            if timestamp:
                path = path.with_name(f"{path.name}-{time.strftime('%Y_%m_%d_%H-%M-%S')}")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("")
            self.path = path
        self.symbols: dict[str, list[Any]] = {}
        self._styles: dict[str, str] = {}
        self._logscale = False

    @property
    def names(self) -> list[str]:
        return list(self.symbols)

    def setNames(self, names: Sequence[str]) -> Self:
        """Name the columns, once, before the first row. Return self."""
        if self.symbols:
            raise StateError(
                f"Logger.setNames: the columns have names already: {', '.join(self.symbols)}",
                method="Logger.setNames",
            )
        if isinstance(names, str) or not all(isinstance(name, str) for name in names):
            raise fault(DTypeError, "Logger.setNames", "names", "a list of strings", repr(names))
        if not names or len(set(names)) != len(names):
            raise fault(
                ShapeError, "Logger.setNames", "names", "distinct, and at least one", repr(names)
            )
        self._write(names)
        self.symbols = {name: [] for name in names}
        return self

    def add(self, values: Sequence[float | str] | Mapping[str, float | str]) -> None:
        """Write a row: a list in the order of the columns, or a dict by their names.

        A dict, when it comes first, names the columns.
        """
        if isinstance(values, Mapping):
            names = self.names or list(values)
            if set(values) != set(names):
                raise fault(ShapeError, "Logger.add", "values", f"for {names}", f"{list(values)}")
            values = [values[name] for name in names]
        elif isinstance(values, str) or not isinstance(values, Sequence):
            raise fault(DTypeError, "Logger.add", "values", "a list or a dict", repr(values))
        else:
            names = self.names or [str(1 + i) for i in range(len(values))]
        if len(values) != len(names):
            raise fault(
                ShapeError, "Logger.add", "values", f"{len(names)} entries", str(len(values))
            )
        for value in values:
            if not isinstance(value, str | Real):
                raise fault(DTypeError, "Logger.add", "values", "numbers or strings", repr(value))
        if not self.symbols:
            self.setNames(names)
        self._write([value if isinstance(value, str) else f"{value:11.4e}" for value in values])
        for name, value in zip(names, values, strict=True):
            self.symbols[name].append(value)

    def style(self, styles: Sequence[str] | Mapping[str, str]) -> Self:
        """Say how columns are drawn: a list in their order, or a dict by their names. Return self.

        The styles are those of matplotlib: '-' for a line, '.' and '+' for dots and crosses, '+-'
        for both, 'r--' for a red dashed line. Without, '+-'.
        """
        if not isinstance(styles, Mapping):
            if isinstance(styles, str) or not isinstance(styles, Sequence):
                raise fault(DTypeError, "Logger.style", "styles", "a list or a dict", repr(styles))
            if len(styles) > len(self.symbols):
                expected = f"{len(self.symbols)} entries or fewer"
                raise fault(ShapeError, "Logger.style", "styles", expected, str(len(styles)))
            styles = dict(zip(self.symbols, styles, strict=False))
        for name in styles:
            self._column("style", name)
        self._styles.update(styles)
        return self

    def setlogscale(self, logscale: bool = True) -> Self:
        """Draw with a logarithmic y axis, or not. Return self."""
        self._logscale = logscale
        return self

    def plot(self, *names: str, file: str | PathLike[str] | None = None, **settings: Any) -> Any:
        """Draw these columns, or all that hold numbers, and return matplotlib's Figure.

        Other than in Torch7, no window is opened.

        Parameters
        ----------
        names
            The columns.
        file
            Where the figure is saved, in the format that the suffix names. Without one, a logger
            that has a file saves it beside that, as `<path>.png`; one that has none does not save.
        settings
            What matplotlib's `Axes.set` takes: xlabel="epoch", ylabel="loss", ylim=(0, 1), ...

        Raises
        ------
        ImportError
            matplotlib is not installed.
        StateError
            There is nothing to draw.
        """
        drawn = {name: self._column("plot", name) for name in names or self.names}
        drawn = {
            name: column
            for name, column in drawn.items()
            if column and not any(isinstance(value, str) for value in column)
        }
        if not drawn:
            raise StateError("Logger.plot: there are no numbers to draw yet", method="Logger.plot")
        try:
            from matplotlib.figure import Figure
        except ImportError as error:
            raise ImportError("Logger.plot needs matplotlib: pip install matplotlib") from error
        figure = Figure()
        axes = figure.subplots()
        for name, column in drawn.items():
            rows = range(1, len(column) + 1)
            axes.plot(rows, column, self._styles.get(name, "+-"), label=name)
        axes.legend()
        axes.grid()
        usual = {
            "title": self.path.name if self.path else "",
            "xlabel": "row",
            "yscale": "log" if self._logscale else "linear",
        }
        axes.set(**usual | settings)
        if file is None and self.path is not None:
            file = f"{self.path}.png"
        if file is not None:
            figure.savefig(file)
        return figure

    def _column(self, method: str, name: str) -> list[Any]:
        if not isinstance(name, str) or name not in self.symbols:
            known = ", ".join(self.symbols) or "none yet"
            expected = f"the name of a column ({known})"
            hint = None
            if method == "plot" and Path(str(name)).suffix:
                hint = f"plot(file={name!r}) saves the figure"
            raise fault(SettingError, f"Logger.{method}", "names", expected, repr(name), hint=hint)
        return self.symbols[name]

    def _write(self, cells: Sequence[str]) -> None:
        line = "".join(f"{cell}\t" for cell in cells) + "\n"
        if self.path is None:
            sys.stdout.write(line)
        else:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(line)
