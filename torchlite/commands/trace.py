"""Step through backpropagation: every call of one forward and backward, in order.

Without an argument the network of the demo is traced; file.py:function names a function without
arguments that returns (net, criterion, input, target). Exit status: 0, or 1 where two traces part,
2 for arguments that cannot be used.
"""

import argparse
from typing import Any

from torchlite.commands._given import maker, refused
from torchlite.commands._terminal import columns

__all__ = ["add_arguments", "run"]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("source", nargs="?", metavar="file.py:function", help="what to trace")
    parser.add_argument("--html", metavar="FILE", help="write a page for a browser")
    parser.add_argument(
        "--no-numeric",
        action="store_false",
        dest="numeric",
        help="leave the numeric derivatives out of the page: they take the most time",
    )
    parser.add_argument("--json", metavar="FILE", help="write a file to compare with another")
    parser.add_argument(
        "--compare",
        nargs=2,
        metavar=("REFERENCE", "OTHER"),
        help="say where the second of two JSON files parts from the first",
    )
    parser.epilog = "example: torchlite trace --html backprop.html"


def run(args: argparse.Namespace) -> int:
    # Here, because loading it would slow down every other command.
    from torchlite.stepping import Trace, text, trace
    from torchlite.stepping.given import four

    try:
        if args.compare:
            reference, other = map(Trace.from_json, args.compare)
            difference = reference.diff(other)
            print(difference or f"no difference in {len(reference)} steps")
            return 1 if difference else 0
        made = maker("trace", args.source)() if args.source else _demo()
        net, criterion, input, target = four("trace", args.source, made, bare=True)
        steps = trace(net, input, criterion, target)
        if args.html:
            steps.to_html(args.html, args.numeric)
        if args.json:
            steps.to_json(args.json)
    except Exception as error:
        return refused("trace", error)
    written = [file for file in (args.html, args.json) if file]
    if written:
        print(f"{len(steps)} steps, written to {' and '.join(written)}")
    else:
        print(text.render(steps, min(text.WIDTH, columns())))
    return 0


def _demo() -> Any:
    """Return the demo's network, untrained, and four of its images."""
    import torchlite as nn
    from torchlite.commands.demo import network, targets
    from torchlite.datasets import digits

    nn.manualSeed(0)
    images, labels, *_ = digits()
    return network(), nn.MSECriterion(), images[:4], targets(labels[:4])
