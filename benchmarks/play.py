"""What a page that looks costs the training, and how often it is shown something new.

    python benchmarks/play.py

The training goes as fast as it can, in turns with nobody looking and with one who asks for every
frame as a page does, from a program of its own. What counts is the time that the program had the
processor, the server's part too: others may use the machine. A step counts by its best turn.
"""

import os

# NumPy's libraries read these when they are loaded.
os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import http.client
import json
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from torchlite.play import PROBLEMS, Trainer
from torchlite.play.server import Server

__all__ = ["measured", "table"]

# Turns of so many seconds, of each kind.
TURNS, SECONDS = 5, 3.0


def look(host, path, seconds):
    """Ask for one frame after the other; return how many came, and their mean size."""
    connection = http.client.HTTPConnection(host)
    after, sizes, end = 0, [], time.perf_counter() + seconds
    while time.perf_counter() < end:
        connection.request("GET", f"{path}frame?after={after}")
        body = connection.getresponse().read()
        # The number stands at the beginning: the rest is for a browser to read.
        after = int(body[:40].partition(b'"frame": ')[2].partition(b",")[0])
        sizes.append(len(body))
    connection.close()
    return len(sizes), sum(sizes) / len(sizes)


def measured(problem, turns=TURNS, seconds=SECONDS):
    """Return the time of a step without and with one who looks, frames a second, bytes of one."""
    closed, opened, frames, sizes = [], [], [], []
    with Trainer([problem]) as trainer, Server(trainer) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            trainer.do({"do": "set", "speed": None})
            for _ in range(turns):
                closed.append(turn(trainer, seconds)[0])
                path = f"/{server.secret}/"
                command = [sys.executable, __file__, "--look", server.own, path, str(seconds)]
                with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as looking:
                    looking.stdout.readline()
                    step, worked = turn(trainer, seconds)
                    count, size = json.loads(looking.communicate()[0])
                opened.append(step)
                frames.append(count / worked)
                sizes.append(size)
        finally:
            server.shutdown()
            serving.join()
    return min(closed), min(opened), max(frames), sizes[-1]


def turn(trainer, seconds):
    """Train so long from the start; return the processor's time for a step, and in all."""
    trainer.do({"do": "reset"})
    trainer.do({"do": "train"})
    begin = time.process_time()
    time.sleep(seconds)
    trainer.do({"do": "pause"})
    worked = time.process_time() - begin
    return worked / trainer.run.steps, worked


def table(rows):
    """Return rows of (name, closed, opened, frames, bytes) as a table of Markdown."""
    lines = [
        "| problem | a step, nobody looks | a step, one looks | costs | pictures a second | bytes of one |",  # noqa: E501
        "|---|---|---|---|---|---|",
    ]
    for name, closed, opened, frames, size in rows:
        lines.append(
            f"| {name} | {1e6 * closed:.0f} µs | {1e6 * opened:.0f} µs | {opened / closed - 1:.0%} "
            f"| {frames:.0f} | {size / 1000:.0f} k |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--look"]:
        print("looking", flush=True)
        print(json.dumps(look(sys.argv[2], sys.argv[3], float(sys.argv[4]))))
    else:
        print(table([(name, *measured(problem)) for name, problem in PROBLEMS.items()]))
