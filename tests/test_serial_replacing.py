"""A file is replaced as a whole or not at all, whatever happens meanwhile."""

import os
import random as chance
import signal
import stat
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from saving import THOROUGH, mlp, run, same

from torchlite import nn, serial

KILLS = 200 if THOROUGH else 20


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
def test_permission_bits_are_those_of_open(path, tmp_path):
    def bits(name):
        return stat.S_IMODE((tmp_path / name).stat().st_mode)

    before = os.umask(0o027)
    try:
        serial.save(path, mlp())
        (tmp_path / "opened").write_bytes(b"")
    finally:
        os.umask(before)
    assert bits(path.name) == bits("opened") == 0o640
    path.chmod(0o604)
    serial.save(path, mlp())
    assert bits(path.name) == 0o604


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
def test_a_link_stays_a_link(path, tmp_path):
    (tmp_path / "deep").mkdir()
    path.symlink_to("deep/real.npz")
    serial.save(path, mlp())
    assert path.is_symlink()
    assert sorted(os.listdir(tmp_path / "deep")) == ["real.npz"]
    assert len(serial.load(path)) == 3


@pytest.mark.parametrize("save", [serial.save, serial.save_checkpoint, serial.save_parameters])
def test_a_path_may_be_bytes(tmp_path, save):
    if save is serial.save_parameters:
        pytest.importorskip("safetensors")
    path = os.fsencode(tmp_path / "net")
    save(path, mlp())
    save(path, mlp())
    assert os.listdir(tmp_path) == ["net"]
    if save is serial.save:
        assert len(serial.load(path)) == 3
    elif save is serial.save_checkpoint:
        assert len(serial.load_checkpoint(path).net) == 3
    else:
        serial.load_parameters(path, mlp())


@pytest.mark.parametrize("link", [False, True])
def test_what_is_read_only_is_not_replaced(link, path, tmp_path):
    serial.save(path, mlp())
    path.chmod(0o444)
    before = path.read_bytes()
    given = path
    if link:
        given = tmp_path / "link"
        given.symlink_to(path)
    with pytest.raises(PermissionError) as error:
        serial.save(given, mlp())
    assert str(error.value) == f"[Errno 13] the file is read-only: {str(given)!r}"
    assert path.read_bytes() == before
    assert len(os.listdir(tmp_path)) == 1 + link
    path.chmod(0o644)
    serial.save(given, mlp())


@pytest.mark.parametrize("given", ["models/net.npz", "models/a/net.npz", b"models/net.npz"])
def test_a_missing_folder_is_named_as_it_was_given(given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError) as error:
        serial.save(given, mlp())
    assert str(error.value) == (
        f"[Errno 2] No such file or directory: {os.path.dirname(os.fsdecode(given))!r}"
    )
    (tmp_path / "models").write_bytes(b"")
    with pytest.raises(NotADirectoryError) as error:
        serial.save(given, mlp())
    assert error.value.filename == os.path.dirname(os.fsdecode(given))
    assert os.listdir(tmp_path) == ["models"]


def test_an_error_in_the_folder_names_what_was_given(path, monkeypatch):
    def fail(*arguments):
        raise OSError(28, "No space left on device", arguments[0])

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(OSError, match=f"No space left on device: {str(path)!r}$"):
        serial.save(path, mlp())


@pytest.mark.parametrize("step", ["chmod", "replace"])
def test_an_error_at_the_end_names_what_was_given(step, path, monkeypatch):
    def fail(*arguments):
        raise PermissionError(13, "Permission denied", arguments[0])

    serial.save(path, mlp())
    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match=f"Permission denied: {str(path)!r}$"):
        serial.save(path, mlp())
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.skipif(os.name != "posix", reason="folders can be opened")
def test_the_folder_is_on_the_disk_too(path, monkeypatch):
    """First the file's numbers, then its new name."""
    done = []
    monkeypatch.setattr(
        os, "fsync", lambda descriptor: done.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))
    )
    monkeypatch.setattr(
        os, "replace", lambda *names, real=os.replace: (real(*names), done.append("replaced"))
    )
    serial.save(path, mlp())
    assert done == [False, "replaced", True]

    def fail(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError("a file system that cannot")

    monkeypatch.setattr(os, "fsync", fail)
    serial.save(path, mlp())
    assert len(serial.load(path)) == 3


def test_what_is_no_file_is_not_replaced(tmp_path):
    with pytest.raises(OSError, match="is no regular file"):
        serial.save(tmp_path, mlp())
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("error", [OSError("disk"), KeyboardInterrupt()])
def test_an_error_while_writing_leaves_the_old_file(error, path, monkeypatch):
    def fail(descriptor):
        raise error

    net = mlp()
    serial.save(path, net)
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(type(error)):
        serial.save(path, mlp())
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.skipif(os.name != "posix", reason="needs limits on the size of files")
def test_a_full_disk_leaves_the_old_file(path):
    serial.save(path, mlp())
    before = path.read_bytes()
    code = """
import resource
from torchlite import nn, serial
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for width in (400, 10**6):
    try:
        serial.save(sys.argv[1], nn.Linear(width, 100) if width < 10**6 else nn.Linear(width, 1))
    except OSError as error:
        print(error.errno)
"""
    with run(code, path) as process:
        assert process.stdout.read() == "27\n27\n", "EFBIG"
    assert path.read_bytes() == before
    assert os.listdir(path.parent) == [path.name]


def filled(width):
    net = nn.Sequential(nn.Linear(100, 200), nn.Linear(200, width))
    for parameter in net.parameters()[0]:
        parameter.fill(width)
    return net


def save_until(path, net, last):
    """Save; the process kills itself at this one of the calls and returns that it consists of."""
    events = 0

    def count(*event):
        nonlocal events
        events += 1
        if events == last:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(count)
    serial.save(path, net)
    sys.setprofile(None)
    return events


def kill(path, count):
    """Kill so many processes that save, and load what each left; print what that was."""
    draws = chance.Random(1)
    path = Path(path)
    nets = [filled(1), filled(300)]
    serial.save(path, nets[0])
    # What is made once is made by now: every save consists of the same calls.
    total = save_until(path, nets[0], None)
    # From the moment when the new file takes its place there are a few calls only.
    moments = [draws.randrange(1, total) for _ in range(count // 2)]
    moments += [total - draws.randrange(40) for _ in range(count - len(moments))]
    seen, unfinished = [], 0
    for i, moment in enumerate(moments):
        serial.save(path, nets[i % 2])
        child = os.fork()
        if not child:
            save_until(path, nets[1 - i % 2], moment)
            os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        loaded = serial.load(path)
        assert same(loaded, filled(loaded[1].bias.size))
        seen.append("old" if loaded[1].bias.size == nets[i % 2][1].bias.size else "new")
        for name in os.listdir(path.parent):
            if name != path.name:
                unfinished += 1
                (path.parent / name).unlink()
    print(seen.count("old"), seen.count("new"), unfinished)


@pytest.mark.skipif(os.name != "posix", reason="kill -9")
def test_killed_while_saving(path):
    """Whenever a process dies, there is a whole file: the old or the new one."""
    with run(f"import test_serial_replacing as it; it.kill(sys.argv[1], {KILLS})", path) as process:
        words = process.stdout.read().split()
    assert process.returncode == 0
    old, new, unfinished = map(int, words)
    assert old + new == KILLS
    # Otherwise the moments were not those that matter.
    assert min(old, new, unfinished) > KILLS // 10
    print(f"{KILLS} kills, {unfinished} of them in the middle of a file")


@pytest.mark.skipif(sys.platform != "linux", reason="open files are counted in /proc")
def test_nothing_stays_open(path):
    folder = os.path.realpath(path.parent)

    def opened():
        # What tests before have opened elsewhere may be closed by and by.
        for number in os.listdir("/proc/self/fd"):
            with suppress(FileNotFoundError):
                name = os.readlink(f"/proc/self/fd/{number}")
                if name.startswith(folder):
                    yield name

    for _ in range(3):
        serial.save(path, mlp())
        serial.load(path)
    assert [*opened()] == []
    with path.open():
        assert [*opened()] == [os.path.join(folder, path.name)]
