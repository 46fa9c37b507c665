"""What only real streams show: pipes, terminals, signals."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import glottis

STAND_IN = Path(__file__).with_name("stand_in.py")


@pytest.fixture(autouse=True)
def environ(monkeypatch):
    """What a user's shell has, and Glottis from where these tests have it, in whatever folder they run."""
    for name in [name for name in os.environ if name.startswith(("GLOTTIS_", "NO_COLOR"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    path = [str(Path(glottis.__file__).parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))


@pytest.fixture(autouse=True)
def _interruptible():
    """Started in the background, a shell has its children ignore SIGINT, and so would ours."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def started(*args, cwd, program=(str(STAND_IN),), environ=None, **streams):
    return subprocess.Popen(
        [sys.executable, *program, *args], cwd=cwd, env={**os.environ, **(environ or {})}, **streams
    )


def test_interrupt_keeps_what_was_finished(folder, wav):
    (folder / "slow.wav").write_bytes(wav)
    args = ("scan", "a.wav", "slow.wav", "--format", "jsonl")
    with started(*args, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        first = json.loads(run.stdout.readline())
        run.send_signal(signal.SIGINT)
        rest, said = run.communicate(timeout=20)
    assert (first["source"], rest, run.returncode) == ("a.wav", "", 130)
    assert "1 bonafide in " in said
    assert "Traceback" not in said


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
@pytest.mark.parametrize("threads", ["1", "2"])
def test_interrupt_while_a_pipe_is_silent(threads, folder):
    pytest.importorskip("onnx")
    from glottis.testing import tiny_bundle, voice, write_wav

    tiny_bundle(folder / "tiny")
    write_wav(folder / "voice.wav", voice(2.0))
    args = ("scan", "voice.wav", "-", "--model", "tiny", "--threads", threads, "--format", "jsonl")
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with started(*args, cwd=folder, program=("-m", "glottis"), **streams) as run:
        run.stdin.write((folder / "voice.wav").read_bytes()[:20_000])
        run.stdin.flush()
        assert json.loads(run.stdout.readline())["source"] == "voice.wav"
        run.send_signal(signal.SIGINT)
        assert run.wait(20) == 130
        said = run.stderr.read().decode()
    assert "Traceback" not in said
    assert said.splitlines()[-1] == "interrupted"


@pytest.mark.parametrize(
    ("names", "fail_on", "code"),
    [(["a.wav"], [], 0), (["none.wav", "a.wav"], [], 3), (["none.wav", "spoof.wav"], ["--fail-on", "spoof"], 4)],
)
def test_a_broken_pipe_is_quiet_and_keeps_the_exit_code(names, fail_on, code, folder):
    args = ("scan", *names, *["a.wav"] * 2000, *fail_on, "--format", "jsonl")
    with started(*args, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert [json.loads(run.stdout.readline())["source"] for _ in names] == names
        run.stdout.close()
        said = run.stderr.read()
        assert run.wait(20) == code
    assert "error" not in said.lower()


def test_a_closed_stdout_and_stdin(folder):
    command = f"{sys.executable} {STAND_IN} scan a.wav - --fail-on spoof <&- >&-"
    run = subprocess.run(["sh", "-c", command], cwd=folder, capture_output=True, text=True, timeout=20, check=False)
    assert run.returncode == 3
    assert run.stderr.startswith("1 bonafide, 1 failed in ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_told(folder):
    with Path("/dev/full").open("w") as full, started("scan", "a.wav", cwd=folder, stdout=full, stderr=-1) as run:
        _, said = run.communicate(timeout=20)
    assert run.returncode == 2
    assert b"stdout cannot be written" in said


def read_all(terminal):
    text = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            return text.decode()
        if not piece:
            return text.decode()
        text += piece


def on_a_terminal(*args, cwd, stderr, **extra):
    ours, theirs = pty.openpty()
    with started(*args, cwd=cwd, stdout=theirs, stderr=theirs if stderr else subprocess.DEVNULL, **extra) as run:
        os.close(theirs)
        text = read_all(ours)
        run.wait(20)
    os.close(ours)
    return text


def test_colour_and_a_bar_on_a_terminal(folder):
    text = on_a_terminal("scan", "a.wav", "spoof.wav", "--timeline", cwd=folder, stderr=False)
    assert "\x1b[31m" in text
    assert "█████████▌" in text
    assert "0:00.0" in text


def test_no_color(folder):
    text = on_a_terminal("scan", "spoof.wav", cwd=folder, stderr=False, environ={"NO_COLOR": "1"})
    assert "\x1b[" not in text
    assert "█████████▌" in text


def test_progress_and_rows_on_one_terminal(folder):
    text = on_a_terminal("scan", "a.wav", "spoof.wav", cwd=folder, stderr=True)
    assert "scanning" in text
    assert "left" in text
    assert "1 bonafide, 1 spoof in " in text


def test_progress_does_not_reach_a_piped_stdout(folder):
    ours, theirs = pty.openpty()
    with started("scan", "a.wav", cwd=folder, stdout=subprocess.PIPE, stderr=theirs, text=True) as run:
        os.close(theirs)
        rows = run.stdout.read()
        said = read_all(ours)
    os.close(ours)
    assert len(rows.splitlines()) == 2
    assert "\x1b" not in rows
    assert "scanning" in said


@pytest.mark.parametrize("command", ["", "scan", "models", "train", "config", "doctor"])
def test_help_imports_nothing_heavy(command, tmp_path):
    code = (
        "import sys\nfrom glottis.cli import program\n"
        f"try: program.main({[*command.split(), '--help']!r})\n"
        "except SystemExit: pass\n"
        "assert not {'numpy', 'rich', 'av', 'onnxruntime', 'torch'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=20, cwd=tmp_path)
