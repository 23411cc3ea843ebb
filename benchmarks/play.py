"""What a page that looks costs the training, and how often it is shown something new.

    python benchmarks/play.py

The training goes as fast as it can, in turns with nobody looking and with one who asks for every
frame as a page does, from a program of its own. What counts is the time that the program had the
processor, the server's part too, and of all pairs of turns the middle one: so it may be measured on
a busy machine.
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

# Turns of so many seconds of the processor's, of each kind.
TURNS, SECONDS = 15, 1.0


def look(host, path):
    """Ask for one frame after the other, until the input ends; print their mean size then."""
    after, sizes = 0, []

    def end():
        sys.stdin.read()
        print(json.dumps(sum(sizes) / len(sizes)), flush=True)
        # The other thread waits for a frame.
        os._exit(0)

    connection = http.client.HTTPConnection(host)
    while True:
        connection.request("GET", f"{path}frame?after={after}")
        body = connection.getresponse().read()
        # The number stands at the beginning: the rest is for a browser to read.
        after = int(body[:40].partition(b'"frame": ')[2].partition(b",")[0] or after)
        sizes.append(len(body))
        if len(sizes) == 1:
            print("looking", flush=True)
            threading.Thread(target=end, daemon=True).start()


def measured(problem, turns=TURNS, seconds=SECONDS):
    """Return the time of a step without and with one who looks, frames a second, bytes of one."""
    pairs = []
    with Trainer([problem]) as trainer, Server(trainer) as server:
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            trainer.do({"do": "set", "speed": None})
            for _ in range(turns):
                alone, _ = turn(trainer, seconds)
                path = f"/{server.secret}/"
                command = [sys.executable, __file__, "--look", server.own, path]
                pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
                with subprocess.Popen(command, **pipes, text=True) as looking:
                    looking.stdout.readline()
                    step, frames = turn(trainer, seconds)
                    size = json.loads(looking.communicate()[0])
                pairs.append((step / alone, alone, step, frames, size))
        finally:
            server.shutdown()
            serving.join()
    return sorted(pairs)[len(pairs) // 2][1:]


def turn(trainer, seconds):
    """Train so long from the start; return the processor's time for a step, and frames a second."""
    trainer.do({"do": "reset"})
    sent, charge = [], trainer.charge
    # The server charges each frame that it has sent.
    trainer.charge = lambda worked: (sent.append(worked), charge(worked))
    trainer.do({"do": "train"})
    begin = time.process_time()
    while time.process_time() - begin < seconds:
        time.sleep(0.05)
    trainer.do({"do": "pause"})
    worked = time.process_time() - begin
    trainer.charge = charge
    return worked / trainer.run.steps, len(sent) / worked


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
        look(sys.argv[2], sys.argv[3])
    else:
        print(table([(name, *measured(problem)) for name, problem in PROBLEMS.items()]))
