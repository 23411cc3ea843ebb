"""Stepping through backpropagation: every call of the contract, to read, to look at, to compare.

`trace` runs one forward, loss and backward; `record` takes down whatever is run inside it. Both
give a `Trace`: text when printed, a page in a browser or a notebook, a file for grading. `summary`
tells what a network is made of.
"""

from torchlite.stepping.diff import Difference
from torchlite.stepping.recorder import record, trace
from torchlite.stepping.steps import Step, Trace
from torchlite.stepping.summarize import Summary, summary

__all__ = ["Difference", "Step", "Summary", "Trace", "record", "summary", "trace"]
