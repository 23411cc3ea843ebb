"""Many processes: schedules, what networks remember of each batch, gradients on their way; MPI."""

import os
import re
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from cases import rows

import torchlite
import torchlite as nn
from torchlite import distributed, random
from torchlite.distributed import data_parallel, simulate
from torchlite.distributed.data_parallel import DataParallel
from torchlite.distributed.group import Waiting, shares
from torchlite.distributed.micro_batches import put_back, take_out
from torchlite.distributed.pipeline import Pipeline
from torchlite.distributed.schedules import Timed
from torchlite.errors import SettingError, StateError
from torchlite.nn.nested import same

RANKS = Path(__file__).parent / "ranks"
SCHEDULES = ["gpipe", "one_f_one_b", "split", "zb_h1", "zb_h2"]


# ---------------------------------------------------------------- schedules


@pytest.mark.parametrize(
    ("stages", "times"),
    [
        *((p, times) for p in (2, 3, 4, 8, 16) for times in ((1, 1, 1), (2, 2.5, 1.5))),
        (64, (1, 1.25, 0.75)),
    ],
)
def test_bubbles_are_those_of_the_paper(stages, times):
    F, B, W = times
    bubbles = {
        "gpipe": F + B + W,
        "one_f_one_b": F + B + W,
        "split": F + B,
        "zb_h1": F + B - W,
        "zb_h2": F + B - 2 * W,
    }
    for micro_batches in (2 * stages - 1, 3 * stages):
        for name, bubble in bubbles.items():
            schedule = getattr(distributed, name)(stages, micro_batches)
            assert simulate(schedule, *times).bubble == pytest.approx((stages - 1) * bubble)


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize(("stages", "micro_batches"), [(1, 1), (1, 5), (4, 1), (4, 3), (5, 12)])
def test_each_stage_does_everything_once(name, stages, micro_batches):
    schedule = getattr(distributed, name)(stages, micro_batches)
    for stage, works in enumerate(schedule):
        done = [(kind, work.micro_batch) for work in works for kind in work.kind]
        assert sorted(done) == [(kind, i) for kind in "BFW" for i in range(micro_batches)]
        assert {work.stage for work in works} == {stage}
    assert simulate(schedule).duration >= 3 * micro_batches


@pytest.mark.parametrize("name", SCHEDULES)
def test_no_stage_holds_more_than_it_says(name):
    most = {
        "gpipe": [12] * 4,
        "one_f_one_b": [4, 3, 2, 1],
        "split": [4, 3, 2, 1],
        "zb_h1": [4] * 4,
        "zb_h2": [7] * 4,
    }
    assert simulate(getattr(distributed, name)(4, 12)).held == most[name]


def test_messages_take_time():
    schedule = distributed.gpipe(2, 1)
    assert simulate(schedule, message=0.5).duration == simulate(schedule).duration + 1


def test_a_schedule_without_end_is_refused():
    work = distributed.Work
    stuck = [[work("BW", 0, 0), work("F", 0, 0)], [work("F", 1, 0), work("BW", 1, 0)]]
    with pytest.raises(SettingError) as caught:
        simulate(stuck)
    assert str(caught.value) == (
        "simulate: schedule must be one in which everything has what it needs, got BW of "
        "micro-batch 0 on stage 0 without"
    )


@pytest.mark.parametrize("name", SCHEDULES)
def test_there_is_at_least_one(name):
    for arguments, argument in (((0, 2), "stages"), ((2, 0), "micro_batches")):
        with pytest.raises(SettingError, match=f"^{name}: {argument} must be a whole number, at "):
            getattr(distributed, name)(*arguments)
    with pytest.raises(SettingError, match=f"^{name}: stages must be a whole number, .* got 2.5"):
        getattr(distributed, name)(2.5, 2)


def test_a_schedule_does_all_of_everything():
    work = distributed.Work
    for schedule, got in (
        ([], "work must be some, got none"),
        ([[]], "work must be some, got none"),
        ([[work("F", 0, 0), work("BW", 0, 0)], []], r"got F of \[\] on stage 1"),
        (
            [[work("F", 0, 0), work("B", 0, 0)]],
            r"must be W of each of 1 .* got W of \[\] on stage 0",
        ),
        ([[work("F", 0, 0), work("F", 0, 0), work("BW", 0, 0)]], r"got F of \[0, 0\] on stage 0"),
        ([[work("F", 0, 1), work("BW", 0, 1)]], r"got F of \[1\] on stage 0"),
        ([[work("F", 1, 0), work("BW", 0, 0)]], "in the row of its stage, got another's in row 0"),
    ):
        with pytest.raises(SettingError, match=got):
            simulate(schedule)


@pytest.mark.parametrize("argument", ["T_F", "T_B", "T_W"])
def test_work_takes_time(argument):
    with pytest.raises(SettingError, match=f"^simulate: {argument} must be positive, got 0"):
        simulate(distributed.split(2, 3), **{argument: 0})


def test_the_text_of_a_plan_has_an_end():
    works = [distributed.Work("F", 0, 0), distributed.Work("BW", 0, 0)]
    timed = zip(works, (0, 1e-6), (1e-6, 10), strict=True)
    assert len(str(distributed.Plan([[Timed(*row) for row in timed]]))) < 3100


def test_a_plan_is_drawn_with_all_it_does():
    plan = simulate(distributed.zb_h1(3, 4), 2, 2, 1)
    svg = ElementTree.fromstring(plan.to_svg())
    titles = [title.text for title in svg.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == 3 * 3 * 4
    assert titles[0] == "F of micro-batch 0 on stage 0: 0 to 2"
    boxes = [box.attrib for box in svg.iter("{http://www.w3.org/2000/svg}rect")]
    assert max(float(box["x"]) + float(box["width"]) for box in boxes) == pytest.approx(
        960, abs=0.1
    )
    assert str(plan).count("\n") == 2


def test_every_sample_is_in_one_share():
    for n in range(12):
        for parts in range(1, 6):
            cuts = [shares(n, parts, part) for part in range(parts)]
            assert [i for cut in cuts for i in range(n)[cut]] == list(range(n))
            sizes = [cut.stop - cut.start for cut in cuts]
            assert max(sizes) - min(sizes) <= 1
            assert sizes == sorted(sizes, reverse=True)


# ---------------------------------------------------------------- what a network remembers


LAYERS = [case for _, case in rows() if isinstance(case.make(), nn.Module)]


@pytest.mark.parametrize("case", LAYERS, ids=lambda case: case.id)
def test_what_was_taken_out_is_put_back(case):
    torchlite.manualSeed(1)
    layer, rng = case.make(), np.random.default_rng(0)
    first, second = case.draw(rng), case.draw(rng)
    twin = layer.clone()
    state = random.getRNGState()
    output = layer.forward(first)
    memory = take_out(layer)
    try:
        layer.forward(second)
    except Exception:
        put_back(layer, memory)
    else:
        put_back(layer, memory)
    assert layer.output is output
    random.setRNGState(state)
    assert same(twin.forward(first), output)
    gradOutput = output
    layer.zeroGradParameters()
    twin.zeroGradParameters()
    assert same(layer.updateGradInput(first, gradOutput), twin.updateGradInput(first, gradOutput))
    layer.accGradParameters(first, gradOutput)
    twin.accGradParameters(first, gradOutput)
    assert same(layer.parameters()[1], twin.parameters()[1])


# ---------------------------------------------------------------- gradients on their way


class Twin:
    """A group of two of which the other does the same; messages take time on a clock of its own."""

    rank, size = 0, 2

    def __init__(self, per_entry=0.0):
        self.now = self.free = 0.0
        self.per_entry = per_entry
        self.started = []

    def __deepcopy__(self, memo):
        return self

    def start_sum(self, array, beside=False):
        self.free = max(self.now, self.free) + self.per_entry * array.size
        self.started.append((array, array.copy(), self.free))
        entry = self.started[-1]
        return Waiting("a sum", lambda: self._arrive(*entry))

    def _arrive(self, array, sent, arrival):
        assert (array == sent).all(), "gradients that travel were added to"
        self.now = max(self.now, arrival)
        array *= 2
        return True

    def wait(self, waiting):
        assert waiting._done()

    def broadcast(self, array, root=0):
        return array

    def gather(self, value):
        return [value, value]

    def same(self, value, what):
        pass

    def rows(self, n, shards=None):
        return slice(0, n // 2)


class Clocked(nn.Linear):
    """A Linear whose forward, gradInput and gradients take one unit of its group's time each."""

    group = None
    refers = ("group",)

    def updateOutput(self, input):
        self.group.now += 1
        return super().updateOutput(input)

    def updateGradInput(self, input, gradOutput):
        self.group.now += 1
        return super().updateGradInput(input, gradOutput)

    def accGradParameters(self, input, gradOutput, scale=1):
        self.group.now += 1
        super().accGradParameters(input, gradOutput, scale)


def clocked(group, n=8, layers=6):
    net = nn.Sequential(*(Clocked(n, n) for _ in range(layers)))
    for layer in net:
        layer.group = group
    return net


@pytest.fixture
def small_pieces(monkeypatch):
    monkeypatch.setattr(data_parallel, "_BUCKET", 8 * 9)


def test_messages_hide_behind_the_backward(small_pieces):
    layers, n = 6, 8
    computing = 3 * layers
    group = Twin(per_entry=0.6 * computing / (layers * n * (n + 1)))
    parallel = DataParallel(clocked(group), group)
    x = np.ones((4, n))
    group.now = group.free = 0.0
    parallel.backward(x, parallel.forward(x))
    assert computing < group.now <= 1.25 * computing
    # All at once, and waited for.
    blocking = Twin(per_entry=group.per_entry)
    parallel = DataParallel(clocked(blocking), blocking)
    blocking.now = blocking.free = 0.0
    output = parallel.forward(x)
    parallel.updateGradInput(x, output)
    parallel.accGradParameters(x, output)
    assert blocking.now == pytest.approx(1.6 * computing, rel=0.01)


def graph_of(shared):
    x = nn.Identity()()
    return nn.gModule([x], [nn.CAddTable()([shared(x), nn.Tanh()(nn.Linear(8, 8)(x))])])


NETS = {
    "chain": lambda: nn.Sequential(nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 8)),
    "nested": lambda: nn.Sequential(nn.Sequential(nn.Linear(8, 8)), nn.Sequential(nn.Linear(8, 8))),
    "branches": lambda: nn.Sequential(
        nn.ConcatTable(nn.Linear(8, 8), nn.Linear(8, 8)), nn.CAddTable()
    ),
    "concat": lambda: nn.Sequential(nn.Concat(1, nn.Linear(8, 4), nn.Linear(8, 4)), nn.ReLU()),
    "weight norm": lambda: nn.Sequential(nn.WeightNorm(nn.Linear(8, 8)), nn.Linear(8, 8)),
    "bottle": lambda: nn.Sequential(nn.Bottle(nn.Linear(8, 8)), nn.Linear(8, 8)),
    "batch norm": lambda: nn.Sequential(nn.BatchNormalization(8), nn.Linear(8, 8)),
    "graph": lambda: graph_of(nn.Linear(8, 8)),
}


def shared_twice():
    layer = nn.Linear(8, 8)
    return nn.Sequential(layer, nn.Tanh(), layer)


def tied():
    one, other = nn.Linear(8, 8, False), nn.Linear(8, 8, False)
    other.weight, other.gradWeight = one.weight.T, one.gradWeight.T
    return nn.Sequential(one, nn.Tanh(), nn.Linear(8, 8), other)


def no_gradInput():
    net = NETS["chain"]()
    net[0].gradInput = None
    return net


NETS |= {"shared": shared_twice, "tied": tied, "no gradInput": no_gradInput}


@pytest.mark.parametrize("name", NETS)
def test_layer_by_layer_gives_the_same_gradients(name, small_pieces):
    torchlite.manualSeed(1)
    net = NETS[name]()
    alone = net.clone()
    x = np.random.default_rng(0).standard_normal((4, 8))
    parallel = DataParallel(net, Twin())
    for scale in (1, -0.5):
        output = parallel.forward(x)
        assert same(alone.forward(x), output)
        gradInput = parallel.backward(x, output, scale)
        assert same(alone.backward(x, output, scale), gradInput)
        assert same(alone.getParameters()[1], net.getParameters()[1])
    assert not any("updateGradInput" in vars(part) for part in net.listModules())


def test_pieces_start_from_the_end_as_they_are_complete(small_pieces):
    group = Twin()
    net = clocked(group, layers=3)
    parallel = DataParallel(net, group)
    x = np.ones((4, 8))
    parallel.backward(x, parallel.forward(x))
    _, gradients = net.getParameters()
    count, *sums = [array for array, *_ in group.started]
    assert count.size == 1
    assert [array.size for array in sums] == [72, 72, 72]
    for array, layer in zip(sums, reversed(list(net)), strict=True):
        assert np.shares_memory(array, layer.gradWeight)
        assert np.shares_memory(array, gradients)


def test_it_follows_a_cast_and_new_layers(small_pieces):
    net = NETS["chain"]()
    parallel = DataParallel(net, Twin())
    x = np.ones((4, 8))
    parallel.backward(x, parallel.forward(x))
    parallel.float().zeroGradParameters()
    net.add(nn.Linear(8, 8).float())
    x = x.astype(np.float32)
    alone = net.clone()
    output = parallel.forward(x)
    parallel.backward(x, output)
    alone.forward(x)
    alone.backward(x, output)
    assert same(alone.parameters()[1], net.parameters()[1])


def test_an_empty_batch_adds_nothing_and_takes_part():
    group = Twin()
    parallel = DataParallel(NETS["chain"](), group)
    x = np.ones((0, 8))
    assert parallel.backward(x, parallel.forward(x)).shape == (0, 8)
    assert len(group.started) == 2
    assert not parallel.modules[0].getParameters()[1].any()


@pytest.mark.parametrize("shards", [None, 4])
def test_its_gradInput_comes_back_with_that_of_what_is_inside(shards):
    inner = nn.Linear(8, 8)
    parallel = DataParallel(inner, Twin(), shards)
    x = np.ones((4, 8))
    output = parallel.forward(x)
    inner.gradInput = None
    assert parallel.updateGradInput(x, output) is None
    inner.gradInput = np.zeros(0)
    gradInput = parallel.updateGradInput(x, output)
    assert gradInput.shape == (4, 8)
    assert parallel.gradInput is gradInput
    parallel.gradInput = None
    assert parallel.updateGradInput(x, output) is None


@pytest.mark.parametrize("shards", [0, 3, 1, 6])
def test_shards_are_a_power_of_two_that_the_ranks_divide(shards):
    with pytest.raises(
        SettingError, match="shards must be a power of two that the ranks, 2, divide"
    ):
        DataParallel(nn.Linear(2, 2), Twin(), shards)


def test_shards_and_sync_exclude_one_another():
    with pytest.raises(SettingError, match="sync must be False with shards, got True"):
        DataParallel(nn.Linear(2, 2), Twin(), 2, sync=True)


def test_it_is_copied_and_printed_as_what_is_inside():
    parallel = DataParallel(nn.Linear(2, 3), Twin())
    x = np.ones((4, 2))
    parallel.backward(x, parallel.forward(x))
    other = parallel.clone()
    assert other.world is parallel.world
    assert repr(other) == "DataParallel @ Linear(2 -> 3)"
    other.backward(x, other.forward(x))
    assert not np.shares_memory(other.modules[0].weight, parallel.modules[0].weight)


@pytest.mark.parametrize(
    ("cuts", "stages", "message"),
    [
        ([], 2, "schedule must be for 1 stages, as there are cuts, got one for 2"),
        ([2, 1], 3, r"cuts must be positions that rise between 1 and 2, got \[2, 1\]"),
        ([0], 2, r"cuts must be positions that rise between 1 and 2, got \[0\]"),
        ([3], 2, r"cuts must be positions that rise between 1 and 2, got \[3\]"),
        ([], 1, "world must be at most 1 ranks, one a stage, got 2"),
    ],
)
def test_cuts_and_schedule_belong_together(cuts, stages, message):
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2))
    with pytest.raises(SettingError, match=f"^Pipeline: {message}"):
        Pipeline(net, cuts, Twin(), distributed.split(stages, 3))


def test_a_pipeline_takes_criterions_that_average():
    net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    pipeline = Pipeline(net, [1], Twin(), distributed.split(2, 1))
    with pytest.raises(SettingError, match="criterion must be one that averages, got sizeAverage"):
        pipeline.step([np.ones((1, 2))], [np.ones((1, 2))], nn.MSECriterion(sizeAverage=False))


def test_stages_share_no_parameter():
    layer = nn.Linear(2, 2)
    for second in (layer, nn.Linear(2, 2)):
        second.weight, second.gradWeight = layer.weight.T, layer.gradWeight.T
        net = nn.Sequential(layer, nn.Tanh(), second)
        with pytest.raises(StateError, match="Pipeline: stages 0 and 1 share a parameter"):
            Pipeline(net, [2], Twin(), distributed.split(2, 3))


# ---------------------------------------------------------------- streams


def test_a_block_draws_from_its_generator():
    torchlite.manualSeed(1)
    expected, mine = random.uniform(size=5), random.Generator()
    torchlite.manualSeed(1)
    mine.manualSeed(2)
    first = random.uniform(size=2)
    random.normal()
    spare = random.getRNGState()
    with random.drawing_from(mine):
        drawn = random.uniform(size=3)
        assert random.initialSeed() == 2
        random.normal()
    assert (random.getRNGState() == spare).all()
    again = random.Generator()
    again.manualSeed(2)
    assert (again.uniform(size=3) == drawn).all()
    again.normal()
    assert (again.getRNGState() == mine.getRNGState()).all()
    assert (first == expected[:2]).all()


def test_a_block_that_raises_gives_the_stream_back():
    torchlite.manualSeed(1)
    state = random.getRNGState()
    mine = random.Generator()
    mine.manualSeed(2)

    def draw_and_fail():
        with random.drawing_from(mine):
            random.uniform()
            raise KeyError

    with pytest.raises(KeyError):
        draw_and_fail()
    assert (random.getRNGState() == state).all()


def test_jumped_streams_are_numpys():
    torchlite.manualSeed(5)
    words = [random.jumped(jumps).random() for jumps in range(3)]
    twister = np.random.MT19937(0)
    np.random.RandomState(twister).seed(5)
    assert words == [int(twister.jumped(jumps).random_raw()) for jumps in range(3)]
    assert random.random() == words[0]
    with pytest.raises(SettingError, match="jumped: jumps must be at least 0, got -1"):
        random.jumped(-1)


# ---------------------------------------------------------------- MPI


def test_without_mpi4py_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(ImportError) as caught:
        distributed.Group()
    assert str(caught.value) == (
        "torchlite.distributed needs mpi4py and an MPI: pip install mpi4py threadpoolctl, and "
        "where the machine has no MPI of its own, pip install mpich (on Windows: impi-rt)"
    )


@pytest.mark.parametrize("timeout", [0, -1, float("nan")])
def test_a_group_waits_for_some_time(timeout):
    with pytest.raises(SettingError, match="Group: timeout must be a positive number of seconds"):
        distributed.Group(timeout)


@pytest.fixture(scope="module")
def mpiexec():
    if find_spec("mpi4py") is None:
        pytest.skip("mpi4py is not installed: pip install mpi4py threadpoolctl")
    found = shutil.which(
        "mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    )
    if found is None:
        pytest.skip("mpiexec is not installed: pip install mpich")
    return found


@pytest.fixture
def launch(mpiexec):
    def run(ranks, program, *arguments, **environment):
        return subprocess.run(
            [mpiexec, "-n", str(ranks), sys.executable, str(program), *arguments],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=300,
            env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
        )

    return run


@pytest.fixture(scope="module")
def found(mpiexec, tmp_path_factory):
    """What 1, 2 and 4 ranks found: a function of (name, ranks)."""
    folder = tmp_path_factory.mktemp("found")
    for ranks in (1, 2, 4):
        program = [sys.executable, str(RANKS / "together.py"), str(folder)]
        parts = ["verbs", "data_parallel", "sharded", "pipelines"]
        done = subprocess.run(
            [mpiexec, "-n", str(ranks), *program, *parts] if ranks > 1 else [*program, *parts],
            capture_output=True,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=300,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert f"done {ranks}\n" in done.stdout
    return lambda name, ranks: np.load(folder / f"{name} on {ranks}.npy")


@pytest.mark.parametrize("name", ["even", "uneven", "empty", "twice"])
@pytest.mark.parametrize("kind", ["plain", "no gradInput", "sync"])
@pytest.mark.parametrize("ranks", [2, 4])
def test_all_ranks_have_the_whole_batchs_gradients(found, kind, name, ranks):
    alone, together = found(f"{kind} {name}", 1), found(f"{kind} {name}", ranks)
    np.testing.assert_allclose(together, alone, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("ranks", [2, 4])
def test_shards_train_the_same_to_the_last_bit(found, ranks):
    for part in ("0 to 6", "0 to 3"):
        assert (found(f"shards {part}", ranks) == found(f"shards {part}", 1)).all()


@pytest.mark.parametrize("ranks", [1, 2, 4])
def test_training_goes_on_with_another_number_of_ranks(found, ranks):
    # The checkpoint is of one rank for one, of two for two and four.
    assert (found("shards 3 to 6", ranks) == found("shards 0 to 6", 1)).all()


@pytest.mark.parametrize("ranks", [2, 4])
@pytest.mark.parametrize("stages", [2, 4])
@pytest.mark.parametrize("name", SCHEDULES)
def test_pipelines_find_what_one_process_finds(found, name, stages, ranks):
    if ranks <= stages:
        assert (found(f"{name} {stages}", ranks) == found(f"gpipe {stages}", 1)).all()


@pytest.mark.parametrize("blas", ["seen", "hidden"])
def test_ranks_of_one_machine_share_its_cores(launch, blas):
    done = launch(2, RANKS / "cores.py", blas, OMP_NUM_THREADS="64", OPENBLAS_NUM_THREADS="64")
    assert done.returncode == 0, done.stderr


def test_the_example_reads_the_same_digits_on_one_and_two_ranks(launch):
    program = Path(__file__).parents[1] / "examples" / "many_ranks.py"
    alone = launch(1, program, "--epochs", "1")
    assert alone.returncode == 0, alone.stderr
    assert re.fullmatch(r"epoch 1: loss 1\.\d+\n\d\d\.\d % of .*\n", alone.stdout)
    for arguments in ([], ["--sharded"]):
        assert launch(2, program, "--epochs", "1", *arguments).stdout == alone.stdout


def test_the_programs_of_the_page_run(launch, tmp_path):
    page = (Path(__file__).parents[1] / "docs" / "many_machines.md").read_text("utf-8")
    train, pipeline = (
        block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "Group(" in block
    )
    data = "xs, ys = [x[:4]] * 8, [y[:4]] * 8\n"
    program = tmp_path / "program.py"
    program.write_text(f"{train}\n{data}{pipeline}\nassert loss > 0 and len(whole) == 5\n")
    done = launch(2, program)
    assert done.returncode == 0, done.stderr


def test_stages_may_have_orders_of_their_own(found):
    assert (found("orders", 2) == found("orders", 1)).all()


FAILURES = {
    "raise": (1, "ValueError: rank 1 has had enough"),
    "exit": (3, ""),
    "kill": (9, ""),
    "hang": (1, "rank 0 waited 3 s for a sum of 1 float64 (call 2), and rank 1 does not answer"),
    "fewer": (
        1,
        "rank 1 has left after 1 calls that all take part in, and rank 0 waits in the next",
    ),
    "network": (1, "the network must be the same on all ranks, but rank 1 has\nLinear(3 -> 3)"),
    "sizes": (1, "that all take part in is a sum of "),
    "calls": (1, "Group.wait: "),
    "settings": (
        1,
        "what trains it must be the same on all ranks, but rank 1 has\nshards=2, sync=False\n",
    ),
    "receive": (
        1,
        " sends; all ranks are there, but wait for other things: rank ",
    ),
    "elsewhere": (1, "all ranks are there, but wait for other things: rank "),
}


@pytest.fixture(scope="module")
def failed(mpiexec):
    """How programs of two ranks ended, by kind: (stdout, stderr, status)."""
    # Most of their time they wait: all at once.
    started = {
        kind: subprocess.Popen(
            [mpiexec, "-n", "2", sys.executable, str(RANKS / "failures.py"), kind],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        for kind in FAILURES
    }
    return {
        kind: (*process.communicate(timeout=300), process.returncode)
        for kind, process in started.items()
    }


@pytest.mark.parametrize("kind", FAILURES)
def test_a_rank_that_fails_ends_all(failed, kind):
    status, message = FAILURES[kind]
    out, error, ended = failed[kind]
    assert ended == status, out + error
    assert message in error
    assert "never" not in out
    for pid in re.findall(r"pid (\d+)", out):
        assert is_gone(int(pid))


def is_gone(pid):
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            os.kill(pid, 0)
        except OSError:
            return True
        time.sleep(0.05)
    return False
