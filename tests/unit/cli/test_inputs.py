from __future__ import annotations

import os
import subprocess
import tracemalloc

import pytest

from glottis.cli.inputs import recordings


def below(folder):
    return [os.path.relpath(path, folder) for path in recordings([str(folder)], recursive=True)]


def test_sorted_and_by_ending(tmp_path):
    for name in ("b.wav", "a.mp3", "c/d.OPUS", "c.flac", "no", "x.txt", ".hidden.wav", ".git/e.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert below(tmp_path) == ["a.mp3", "b.wav", "c.flac", "c/d.OPUS"]


def test_a_loop_of_links_ends(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.wav").touch()
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    (tmp_path / "a" / "self.wav").symlink_to("self.wav")
    (tmp_path / "y.wav").symlink_to(tmp_path / "a" / "x.wav")
    assert below(tmp_path) == ["a/self.wav", "a/x.wav", "y.wav"]


def test_a_link_that_is_named_is_followed(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.wav").touch()
    (tmp_path / "link").symlink_to("a")
    assert below(tmp_path / "link") == ["x.wav"]


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.wav")
    assert below(tmp_path) == ["."]


def test_an_empty_folder_stands_for_itself(tmp_path):
    assert list(recordings([str(tmp_path)], recursive=True)) == [str(tmp_path)]


@pytest.mark.parametrize("end", ["", "/"])
def test_a_slash_at_the_end_changes_nothing(tmp_path, end):
    (tmp_path / "x.wav").touch()
    assert [*recordings([f"{tmp_path}{end}"], recursive=True)] == [f"{tmp_path}/x.wav"]


@pytest.fixture
def deep(tmp_path):
    """A folder 1200 levels down; taken away by a program that does not recurse, as pytest's own cleaning does."""
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(1200):
            os.mkdir("d", dir_fd=here)
            step = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = step
    finally:
        os.close(here)
    yield tmp_path.joinpath(*["d"] * 1200)
    subprocess.run(["rm", "-rf", str(tmp_path / "d")], check=True)


def test_very_deep_folders(deep, tmp_path):
    if len(str(deep)) < 4000:
        (deep / "x.wav").touch()
        assert len(below(tmp_path)) == 1


def test_memory_does_not_grow_with_the_number_of_files(tmp_path):
    for number in range(3000):
        folder = tmp_path / f"{number // 10:03d}"
        folder.mkdir(exist_ok=True)
        (folder / f"{number:04d}-with-a-rather-long-name-so-that-it-would-show.wav").touch()
    tracemalloc.start()
    try:
        count = sum(1 for _ in recordings([str(tmp_path)], recursive=True))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == 3000
    assert peak < 150_000


def test_found_while_asked_for(tmp_path):
    (tmp_path / "a.wav").touch()
    paths = recordings([str(tmp_path / "a.wav"), str(tmp_path / "*.flac")], recursive=False)
    next(paths)
    (tmp_path / "late.flac").touch()
    assert next(paths) == str(tmp_path / "late.flac")


@pytest.fixture
def looped(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a/x.wav", "a/b/y.wav", "a/.hidden/z.wav", "[a]/w.wav"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    for number in range(3):
        (tmp_path / "a" / "b" / f"loop{number}").symlink_to(tmp_path / "a")


@pytest.mark.usefixtures("looped")
@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("a/**/*.wav", ["a/b/y.wav", "a/x.wav"]),
        ("**/*.wav", ["[a]/w.wav", "a/b/y.wav", "a/x.wav"]),
        ("a/**/b/**/*.wav", ["a/b/y.wav"]),
        ("a/*/*.wav", ["a/b/y.wav"]),
        ("[[]a]/**/w.wav", ["[a]/w.wav"]),
        ("[a]/**/w.wav", ["[a]/**/w.wav"]),
        ("a/x**.wav", ["a/x.wav"]),
        ("a/b/y**", ["a/b/y.wav"]),
        ("a/b/**", ["a/b/loop0", "a/b/loop1", "a/b/loop2", "a/b/y.wav"]),
        ("none/**/*.wav", ["none/**/*.wav"]),
    ],
)
def test_patterns(pattern, found):
    assert [*recordings([pattern], recursive=False)] == found


def test_a_whole_pattern(looped, tmp_path):
    assert looped is None
    assert [*recordings([f"{tmp_path}/**/y.wav"], recursive=False)] == [f"{tmp_path}/a/b/y.wav"]
