"""What else the machine does while something is measured."""

import os
import time
from pathlib import Path

__all__ = ["Load"]

# Where others took more than this share of the processors, what was measured is theirs, too.
MUCH = 0.2


class Load:
    """From when it is made on."""

    def __init__(self):
        self.at_first = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
        self._began, self._spent = time.perf_counter(), spent_by_others()

    def told(self):
        """Return it in words, as far as the system says."""
        if self.at_first is None:
            return ""
        text = f"When it began, {self.at_first:.1f} programs on average wanted a processor"
        spent = spent_by_others()
        if spent is None:
            return f"{text}."
        had = (time.perf_counter() - self._began) * os.cpu_count()
        share = max(0.0, spent - self._spent) / had
        text += f"; meanwhile others took {share:.0%} of the processors' time."
        return f"{text} That is much: do not trust these numbers." if share > MUCH else text


def spent_by_others():
    """Seconds that others than this program and its own had a processor; None if nobody knows."""
    try:
        first = Path("/proc/stat").read_text().partition("\n")[0]
    except OSError:
        return None
    # What the host took for others, "steal", counts; guests are in the first two already.
    user, nice, system, _idle, _waiting, *rest = map(int, first.split()[1:9])
    busy = (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")
    return busy - sum(os.times()[:4])
