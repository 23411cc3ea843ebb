"""Calls that are broken off in the middle: an exception raised at each line of torchlite in turn.

`interruptions` makes a subject, starts a call of it, and raises before the n-th line that torchlite
executes in the call; for n = 0, 1, 2 ... up to the last. What a MemoryError or Ctrl-C can leave
behind is seen by looking at the subject after each:

    for net, place in interruptions(make, lambda net: net.double()):
        dtypes = {array.dtype for array in net.parameters()[0]}
        assert len(dtypes) == 1, place
"""

import os
import sys

import torchlite

_PACKAGE = os.path.dirname(torchlite.__file__)
# Whether calls can be broken off inside of lines, too. What Python 3.12 does when the tracing of
# opcodes raises depends on what was traced before, and its tracebacks may lack their lines.
INSIDE_LINES = sys.version_info[:2] != (3, 12)
# Where locks are taken, and by which names: everywhere, or in the functions that name one of these.
_LOCKING = {
    os.path.join(_PACKAGE, "random.py"): None,
    os.path.join(_PACKAGE, "kernels", "threads.py"): {"lock", "_lock", "_adding"},
}


class Exhausted(MemoryError):
    """What is raised in the middle, unless something else is asked for."""


class Interrupted(KeyboardInterrupt):
    """The same for what catches Exception, which this passes by."""


def lines(call, subject, opcodes=False):
    """Return where each line stands that torchlite executes in call(subject): (file, number)."""
    found = []
    _run(lambda place: found.append(place), opcodes, call, subject)
    return found


def break_off(call, subject, n, error=Exhausted, opcodes=False):
    """Make call(subject) with an error raised before its n-th line, and return where that stands.

    Return None if the call ends before.
    """
    count, where = 0, None

    def maybe(place):
        nonlocal count, where
        if count == n:
            where = place
            raise error
        count += 1

    try:
        _run(maybe, opcodes, call, subject)
    except error:
        assert where is not None, "this error is the call's own"
    else:
        assert where is None, f"the error raised at {where} was swallowed"
    return where


def interruptions(make, call, error=Exhausted, opcodes=False, most=500):
    """Yield (subject, place) after call(subject) was broken off before each of its lines in turn.

    make() returns a subject, the same one each time. place is (file, line number). With opcodes,
    calls are also broken off inside of lines, between any two steps of Python's. Of a call with
    more than `most` places, so many are tried, evenly spread.
    """
    total = len(lines(call, make(), opcodes))
    assert total, "torchlite executes nothing in this call"
    for i in range(min(total, most)):
        subject = make()
        place = break_off(call, subject, i * total // min(total, most), error, opcodes)
        assert place is not None, "the call is shorter than the first time"
        yield subject, place


def _run(visit, opcodes, call, subject):
    """Call visit(place) before every line of torchlite's that call(subject) executes."""

    def trace(frame, event, argument):
        name = frame.f_code.co_filename
        # Of what it calls, Python asks again. A lock that is broken off while Python's `with` takes
        # it or gives it back stays taken, for the rest of the process: those functions are spared.
        if not name.startswith(_PACKAGE) or _is_spared(frame):
            return None
        # Nor does an error leave a generator that is given up; Python 3.13 tells of lines in it.
        if event == "exception" and argument[0] is GeneratorExit:
            return _ignore
        frame.f_trace_opcodes = opcodes
        if event == ("opcode" if opcodes else "line"):
            visit((os.path.relpath(frame.f_code.co_filename, _PACKAGE), frame.f_lineno))
        return trace

    before = sys.gettrace()
    # From Python 3.12 on, a frame that asks for them is looked for when the tracing begins alone.
    sys._getframe().f_trace_opcodes = opcodes
    sys.settrace(trace)
    try:
        call(subject)
    finally:
        sys.settrace(before)


def _ignore(frame, event, argument):
    """Follow a frame no longer: Python keeps a frame's trace where one returns None."""


def _is_spared(frame):
    """Whether the function or its caller takes a lock, or is a __del__, whose errors get lost."""
    for at in (frame, frame.f_back):
        names = _LOCKING.get(at.f_code.co_filename, set())
        if names is None or not names.isdisjoint(at.f_code.co_names):
            return True
        if at.f_code.co_name == "__del__":
            return True
    return False
