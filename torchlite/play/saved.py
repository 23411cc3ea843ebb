"""The page of a run as one file, which asks for nothing."""

import re
from collections.abc import Sequence
from importlib import resources

from torchlite.stepping.page import embedded

__all__ = ["LARGEST", "POLICY", "page", "whole"]

# Frames of a saved run have so many characters at most: of too many, every second one is left out.
LARGEST = 8_000_000

_FOLDERS = {"arrays": "torchlite.stepping"}
# A page of one file has its styles and scripts in itself, and asks for nothing.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:"


def page(frames: Sequence[str]) -> str:
    """Return the page of a run that is over: its frames, in JSON, the last of them shown first.

    Example
    -------
    >>> from torchlite.play import PROBLEMS, Trainer
    >>> with Trainer([PROBLEMS["xor"]]) as trainer:
    ...     frame = trainer.next(0)
    >>> page([frame]).count("src="), page([frame]).count("href=")
    (0, 3)
    """
    frames = list(frames)
    while len(frames) > 1 and sum(map(len, frames)) > LARGEST:
        frames = frames[::-2][::-1]
    data = embedded(f"[{','.join(frames)}]")
    return whole("saved.js", f'<script type="application/json" class="frames">{data}</script>\n')


def whole(script: str, data: str = "") -> str:
    """Return play.html with styles and scripts in itself, and a script in the place of live.js."""

    def style(link: re.Match[str]) -> str:
        return f"<style>\n{_file(link[1])}</style>"

    def inlined(tag: re.Match[str]) -> str:
        last = tag[1] == "live.js"
        return f"{data if last else ''}<script>\n{_file(script if last else tag[1])}</script>"

    html = _file("play.html")
    html = re.sub(r'<link rel="stylesheet" href="(\S+)">', style, html)
    html = re.sub(r'<script src="(\S+)"></script>', inlined, html)
    policy = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    return html.replace('<meta charset="utf-8">', f'<meta charset="utf-8">\n{policy}', 1)


def _file(name: str) -> str:
    folder = _FOLDERS.get(name.partition(".")[0], "torchlite.play")
    return resources.files(folder).joinpath(name).read_text("utf-8")
