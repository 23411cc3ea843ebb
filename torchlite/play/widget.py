"""The page as a widget of a notebook."""

import json
import threading
from collections.abc import Callable
from importlib import resources
from os import PathLike
from typing import Any

from torchlite.play.data import PROBLEMS, Problem
from torchlite.play.saved import whole
from torchlite.play.trainer import Trainer

__all__ = ["widget"]


def widget(
    make: Callable[[], tuple[Any, Any, Any, Any]] | None = None,
    seed: int = 0,
    height: str = "50rem",
) -> Any:
    """Return the page that trains as a widget; the last line of a cell shows it.

    Parameters
    ----------
    make
        A function without arguments that returns (net, criterion, input, target), the first
        dimension of input and target counting samples. Without it there are two spirals, and
        others to choose from.
    seed
        Where the random numbers start.
    height
        How high the widget is, as CSS says it.

    Attributes
    ----------
    trainer
        The `Trainer`, for commands of yours; it ends with `close()`.
    save
        A function that writes the run to a file, as one page.

    Raises
    ------
    ImportError
        anywidget is not installed.
    """
    try:
        import anywidget
        import traitlets
    except ImportError as error:
        raise ImportError("play.widget needs anywidget: pip install anywidget") from error
    problems = [*PROBLEMS.values()] if make is None else [Problem(_name(make), make)]

    class Widget(anywidget.AnyWidget):  # type: ignore[misc]
        _esm = resources.files("torchlite.play").joinpath("widget.js").read_text("utf-8")
        page = traitlets.Unicode(whole("framed.js")).tag(sync=True)
        height = traitlets.Unicode("").tag(sync=True)

        def __init__(self, trainer: Trainer, height: str) -> None:
            super().__init__(height=height)
            self.trainer = trainer
            self.on_msg(lambda _, asked, __: self._asked(asked))
            trainer.__enter__()

        def _asked(self, asked: Any) -> None:
            # The next frame may be long in coming: the kernel does not wait for it.
            threading.Thread(target=self._answer, args=(asked,), daemon=True).start()

        def _answer(self, asked: Any) -> None:
            self.send(answered(self.trainer, asked))

        def save(self, file: str | PathLike[str]) -> None:
            """Write the run to a file, as one page."""
            self.trainer.save(file)

        def close(self) -> None:
            """End the training, and the widget."""
            self.trainer.close("run the widget's cell again")
            super().close()

    return Widget(Trainer(problems, seed), height)


def answered(trainer: Trainer, asked: Any) -> dict[str, Any]:
    """Return the answer to a message of the page; its text is JSON, null where no frame came."""
    given = asked["given"]
    next = asked["method"] == "next"
    text = trainer.told(given) or "null" if next else json.dumps(trainer.do(given))
    return {"id": asked["id"], "text": text}


def _name(make: Any) -> str:
    return str(getattr(make, "__name__", type(make).__name__))
