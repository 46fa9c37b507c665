"""Every kind of bad input in one batch, with the real detector: clear errors, exit 3, and the batch goes on."""

from __future__ import annotations

import json
import os
import socket
import struct
import threading

import numpy as np
import pytest
from click.testing import CliRunner

from glottis.cli import program

pytest.importorskip("onnx")


def float_wav(samples):
    data = samples.astype("<f4").tobytes()
    head = struct.pack("<IHHIIHH", 16, 3, 1, 16_000, 64_000, 4, 32)
    return (
        b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " + head + b"data" + struct.pack("<I", len(data)) + data
    )


@pytest.fixture
def listener():
    """A local server that notes who comes."""
    came = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        over = threading.Event()

        def wait():
            while not over.is_set():
                try:
                    connection, _ = server.accept()
                except TimeoutError:
                    continue
                came.append(connection.recv(100))
                connection.close()

        thread = threading.Thread(target=wait)
        thread.start()
        yield server.getsockname()[1], came
        over.set()
        thread.join()


@pytest.fixture
def batch(tmp_path, monkeypatch, listener):
    """A folder of bad recordings, and what is expected of each: an error's code, or None for a verdict."""
    from glottis.testing import tiny_bundle, voice, write_wav

    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("GLOTTIS_")]:
        monkeypatch.delenv(name)
    port, _ = listener
    tiny_bundle("tiny")
    good = write_wav("good.wav", voice(3.0)).read_bytes()
    at = good.index(b"data") + 4
    loud = voice(1.0)
    nan, infinite = loud.copy(), loud.copy()
    nan[9000], infinite[9000] = np.nan, np.inf
    url = f"http://127.0.0.1:{port}/a"
    files = {
        "empty.wav": (b"", "empty"),
        "text.wav": (b"this is text\n" * 50, "not_audio"),
        "zero.wav": (good[:at] + bytes(4), "no_samples"),
        "hours.wav": (good[:at] + struct.pack("<I", 2**31) + good[at + 4 :], None),
        "cut.wav": (good[: len(good) // 2], None),
        "nan.wav": (float_wav(nan), "not_finite"),
        "infinite.wav": (float_wav(infinite), "not_finite"),
        "list.wav": (f"#EXTM3U\n#EXTINF:1,\n{url}.wav\n#EXTINF:1,\ngood.wav\n".encode(), "forbidden_format"),
        "list.m3u8": (f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{url}.ts\n".encode(), "forbidden_format"),
        "concat.wav": (f"ffconcat version 1.0\nfile good.wav\nfile {url}.wav\n".encode(), "forbidden_format"),
        "concat2.wav": (b"\xef\xbb\xbf\n ffconcat version 1.0\nfile good.wav\n", "forbidden_format"),
        "sdp.wav": (f"v=0\nc=IN IP4 127.0.0.1\nm=audio {port} RTP/AVP 0\n".encode(), "forbidden_format"),
        "two\nlines.wav": (good, None),
        os.fsdecode(b"caf\xe9.wav"): (good, None),
    }
    for name, (data, _) in files.items():
        try:
            (tmp_path / name).write_bytes(data)
        except OSError:
            pytest.skip("this file system takes only UTF-8")
    (tmp_path / "folder").mkdir()
    other = {"folder": "directory", "none.wav": "missing", "good.wav/x": "missing", "": "missing"}
    names = {"concat:good.wav|good.wav": "missing", "subfile,,start,0,end,0,,:good.wav": "missing", url: "missing"}
    return {**{name: code for name, (_, code) in files.items()}, **other, **names}


@pytest.mark.parametrize("threads", ["1", "2"])
def test_bad_input_never_ends_a_batch(threads, batch, listener):
    names = ["good.wav", *batch, "good.wav"]
    args = ["scan", *names, "--model", "tiny", "--threads", threads, "--format", "jsonl"]
    result = CliRunner().invoke(program, args)
    assert result.exit_code == 3, result.stderr
    lines = [json.loads(line) for line in result.stdout_bytes.decode().splitlines()]
    codes = [line.get("error", {}).get("code") for line in lines]
    assert dict(zip(names, codes, strict=True)) == {**batch, "good.wav": None}
    assert all(line["error"]["message"] and line["error"]["hint"] for line in lines if "error" in line)
    by_name = dict(zip(names, lines, strict=True))
    for name in ("cut.wav", "hours.wav"):
        assert by_name[name]["complete"] is False
        assert by_name[name]["verdict"] != "bonafide"
        assert by_name[name]["warnings"]
    assert by_name["cut.wav"]["duration_s"] == pytest.approx(1.5, abs=0.01)
    assert by_name["hours.wav"]["duration_s"] == pytest.approx(3.0, abs=0.01)
    assert by_name["two\nlines.wav"]["llr"] == by_name["good.wav"]["llr"]
    assert listener[1] == []
    assert "Traceback" not in result.stderr


def test_no_other_file_is_opened(batch, monkeypatch):
    opened = []
    real = open
    monkeypatch.setattr("builtins.open", lambda file, *args, **extra: opened.append(file) or real(file, *args, **extra))
    names = [name for name, code in batch.items() if code == "forbidden_format"]
    CliRunner().invoke(program, ["scan", *names, "--model", "tiny", "--threads", "1"])
    assert set(names) <= set(opened)
    assert not any(str(file).endswith("good.wav") for file in opened)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_unreadable(batch, tmp_path):
    (tmp_path / "good.wav").chmod(0)
    assert batch
    result = CliRunner().invoke(program, ["scan", "good.wav", "--model", "tiny", "--format", "jsonl"])
    assert json.loads(result.stdout)["error"]["code"] == "unreadable"


@pytest.mark.skipif(not os.path.exists("/proc/self/mem"), reason="needs a file whose reading fails")  # noqa: PTH110
def test_a_file_whose_reading_fails(batch):
    assert batch
    result = CliRunner().invoke(program, ["scan", "/proc/self/mem", "--model", "tiny", "--format", "jsonl"])
    assert result.exit_code == 3
    assert json.loads(result.stdout)["error"]["code"] == "unreadable"


@pytest.mark.parametrize("form", ["table", "csv"])
def test_the_other_formats_take_them_too(form, batch):
    result = CliRunner().invoke(program, ["scan", *batch, "--model", "tiny", "--format", form])
    assert result.exit_code == 3
    assert result.stderr.splitlines()[-1].startswith("2 ") or " failed in " in result.stderr
    assert result.stdout_bytes.decode()
