"""Train a network and look at it, live, in a browser: two spirals, XOR, digits, or your own.

Without an argument the page has two spirals, and others to choose from; file.py:function names a
function without arguments that returns (net, criterion, input, target), the first dimension of
input and target counting samples. The page is served to this machine alone, until Ctrl-C. Exit
status: 0, or 2 for arguments that cannot be used.
"""

import argparse
import shlex
import threading
from contextlib import suppress

from torchlite.commands import _terminal
from torchlite.commands._given import maker, refused

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="?", metavar="file.py:function", help="what to train")
    parser.add_argument(
        "--port", type=_port, default=0, help="where to serve the page (default: a free one)"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="where the random numbers start (default: 0)"
    )
    parser.add_argument(
        "--no-browser", action="store_true", help="only print the address, open no browser"
    )
    parser.epilog = "example: torchlite play --seed 1"


def run(args: argparse.Namespace) -> int:
    # Here, because loading them would slow down every other command.
    from torchlite.play import PROBLEMS, Problem, Trainer
    from torchlite.play.server import Server

    try:
        problems = [*PROBLEMS.values()]
        if args.source:
            problems = [Problem(args.source, maker("play", args.source))]
        trainer = Trainer(problems, args.seed)
        server = Server(trainer, args.port, f"start it again: {_command(args)}")
    except Exception as error:
        return refused("play", error)
    print(f"{server.address} is open to this machine alone; Ctrl-C ends it.", flush=True)
    if not args.no_browser:
        threading.Thread(target=_open, args=(server.address,), daemon=True).start()
    with server, trainer:
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print("\nended", flush=True)
            # Who is in a hurry presses it twice.
            with suppress(KeyboardInterrupt):
                server.farewell(server.again)
    return 0


def _command(args: argparse.Namespace) -> str:
    """Return the command that starts the same again."""
    given = [args.source] if args.source else []
    given += [f"--{name}={value}" for name in ("port", "seed") if (value := getattr(args, name))]
    given += ["--no-browser"] if args.no_browser else []
    return " ".join([f"{_terminal.python()} -m torchlite play", *map(shlex.quote, given)])


def _open(address: str) -> None:
    """Open a browser in a window; one that would take the terminal is left alone."""
    import webbrowser

    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    if not isinstance(browser, webbrowser.GenericBrowser) or isinstance(
        browser, webbrowser.BackgroundBrowser
    ):
        browser.open(address)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) < 1 << 16):
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 65535, got {text!r}")
    return int(text)
