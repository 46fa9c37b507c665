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

STAND_IN = Path(__file__).with_name("stand_in.py")


def started(*args, cwd, **streams):
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("GLOTTIS_", "NO_COLOR"))}
    environ |= {"TERM": "xterm", "COLUMNS": "100", **streams.pop("environ", {})}
    return subprocess.Popen([sys.executable, str(STAND_IN), *args], cwd=cwd, env=environ, **streams)


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


def test_a_broken_pipe_is_quiet(folder):
    args = ("scan", *["a.wav"] * 2000, "--format", "jsonl")
    with started(*args, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        assert json.loads(run.stdout.readline())["source"] == "a.wav"
        run.stdout.close()
        said = run.stderr.read()
        assert run.wait(20) == 0
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


@pytest.mark.parametrize("command", ["", "scan"])
def test_help_imports_nothing_heavy(command, tmp_path):
    code = (
        "import sys\nfrom glottis.cli import program\n"
        f"try: program.main({[*command.split(), '--help']!r})\n"
        "except SystemExit: pass\n"
        "assert not {'numpy', 'rich', 'av', 'onnxruntime', 'torch'} & set(sys.modules), sorted(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=20, cwd=tmp_path)
