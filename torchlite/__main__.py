"""The command line: `python -m torchlite COMMAND`, or `torchlite COMMAND` once installed.

Every file in `torchlite/commands/`, but for what they share in those with an underscore, is a
command of its name: its docstring is what `--help` says, `add_arguments(parser)` declares its
arguments, `run(args)` does the work and returns the exit status.
"""

import argparse
import importlib
import os
import pkgutil
import signal
import sys
from collections.abc import Sequence

import torchlite
from torchlite import commands

__all__ = ["main"]

# As shells say it of programs that are stopped so.
_STOPPED, _PIPE_BROKEN = 130, 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name; return the exit status."""
    parser = argparse.ArgumentParser(
        prog="torchlite", description="Torch7's nn in Python on NumPy: what it can do from a shell."
    )
    parser.add_argument("--version", action="version", version=f"torchlite {torchlite.__version__}")
    choices = parser.add_subparsers(metavar="COMMAND", required=True)
    for _, name, _ in pkgutil.iter_modules(commands.__path__):
        if name.startswith("_"):
            continue
        command = importlib.import_module(f"torchlite.commands.{name}")
        says = command.__doc__ or ""
        choice = choices.add_parser(name, help=says.partition("\n")[0], description=says)
        command.add_arguments(choice)
        choice.set_defaults(run=command.run, command=name)
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        # Where a shape stands alone, the quotes are missing that hold several together.
        quotes = "input" in args and not any(word.startswith("-") for word in unknown)
        hint = "\n  hint: several stand between quotes: --input '5x3 5x2'" if quotes else ""
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{hint}")
    # What torchlite/__init__.py set while all was loaded: from here on files of yours may run.
    if getattr(signal.getsignal(signal.SIGINT), "__module__", None) == torchlite.__name__:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        status: int = args.run(args)
        sys.stdout.flush()
    except KeyboardInterrupt as stop:
        status = _stopped(args.command, stop)
    except BrokenPipeError:
        # Who reads (head, say) has seen enough; nothing more must be written when Python ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        status = _PIPE_BROKEN
    return status


def _stopped(command: str, stop: KeyboardInterrupt) -> int:
    """Say what was reached when Ctrl-C came, as far as the command has noted it."""
    # Here, because loading it would slow down every command.
    from torchlite.testing.raised import line_of

    # The terminal has written ^C into this line. Containers have noted where they were.
    begin = "\n" if sys.stderr.isatty() else ""
    # This file is no one's own, however it is called.
    traceback = stop.__traceback__ and stop.__traceback__.tb_next
    reached = [note for note in getattr(stop, "__notes__", ()) if not note.startswith("  at [")]
    line = line_of(stop.with_traceback(traceback))
    print(f"{begin}{command}: {', '.join(['stopped', *reached])}{line}", file=sys.stderr)
    return _STOPPED


if __name__ == "__main__":
    sys.exit(main())
