"""A bundle is found by path or name, opened from a folder or a zip, and every byte of it is checked."""

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from glottis.bundle import list_bundles, open_bundle, store, write_bundle
from glottis.errors import BundleError

FIELDS = {
    "name": "light",
    "version": "1",
    "sample_rate_hz": 16_000,
    "window_samples": 16_000,
    "hop_samples": 8_000,
    "min_speech_s": 0.5,
    "outputs": ["score"],
    "aggregate": {"kind": "mean"},
    "calibration": None,
    "decision": {
        "cost_spoof_accepted": 1.0,
        "cost_bonafide_rejected": 1.0,
        "cost_inconclusive": 0.2,
        "prior_spoof": 0.5,
    },
}
FILES = {"model.onnx": b"a model", "extra/card.md": b"a card"}


def write(folder, **change):
    return write_bundle(folder, {**FIELDS, **change}, FILES)


def zipped(folder, path, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())
    return path


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """An empty home, and an installation that ships no bundle."""
    monkeypatch.setenv("GLOTTIS_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(store, "DEFAULT", tmp_path / "shipped")
    return tmp_path / "home" / "bundles"


@pytest.fixture(params=["folder", "zip"])
def path(request, tmp_path):
    folder = write(tmp_path / "written")
    return folder if request.param == "folder" else zipped(folder, tmp_path / "written.zip")


def test_what_was_written_is_read(path):
    bundle = open_bundle(path)
    assert bundle.manifest.name == "light"
    assert bundle.path == path
    assert {name: bundle.read(name) for name in bundle.manifest.files} == FILES
    assert open_bundle(str(path)) == bundle


def test_the_digest_is_that_of_the_manifest(path):
    bundle = open_bundle(path)
    assert bundle.sha256 == hashlib.sha256(bundle.read("bundle.json")).hexdigest()
    assert json.loads(bundle.read("bundle.json"))["schema"] == 1


def test_a_zip_has_the_digest_of_its_folder(tmp_path):
    folder = write(tmp_path / "b")
    assert open_bundle(zipped(folder, tmp_path / "b.zip")).sha256 == open_bundle(folder).sha256


@pytest.mark.parametrize("name", ["other.bin", "../secret", "/etc/passwd", "..\\secret", "", "extra"])
def test_a_file_that_is_not_listed_is_refused(path, name):
    (path.parent / "secret").write_bytes(b"secret")
    with pytest.raises(BundleError, match="the manifest lists no") as caught:
        open_bundle(path).read(name)
    assert caught.value.code == "missing"


def test_a_changed_file_is_refused_when_it_is_read(tmp_path):
    folder = write(tmp_path / "b")
    (folder / "model.onnx").write_bytes(b"b model")
    for path in (folder, zipped(folder, tmp_path / "b.zip")):
        bundle = open_bundle(path)
        assert bundle.read("extra/card.md") == b"a card"
        with pytest.raises(BundleError, match=r"model\.onnx is not the file that the manifest lists") as caught:
            bundle.read("model.onnx")
        assert caught.value.code == "checksum"
        assert caught.value.hint


def test_a_manifest_that_changed_since_is_refused(tmp_path):
    bundle = open_bundle(write(tmp_path / "b"))
    write(tmp_path / "b", version="2")
    with pytest.raises(BundleError, match=r"bundle\.json is not"):
        bundle.read("bundle.json")


def test_a_missing_file_is_named(tmp_path):
    folder = write(tmp_path / "b")
    (folder / "model.onnx").unlink()
    with pytest.raises(BundleError, match=r"has no model\.onnx") as caught:
        open_bundle(folder).read("model.onnx")
    assert caught.value.code == "missing"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{", "no JSON"),
        (b"\xff\xfe{", "no JSON"),
        (b"[" * 100_000, "no JSON"),
        (b"[]", "must be an object"),
        (b'{"schema": 9}', "schema must be 1"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_refused_with_its_path(tmp_path, text, message):
    folder = write(tmp_path / "b")
    (folder / "bundle.json").write_bytes(text)
    with pytest.raises(BundleError, match=message) as caught:
        open_bundle(folder)
    assert str(folder) in caught.value.message


def test_a_manifest_has_a_size_limit(path):
    if path.is_dir():
        (path / "bundle.json").write_bytes(b" " * (2**20 + 1))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("bundle.json", b" " * (2**20 + 1))
    with pytest.raises(BundleError, match="is over 1048576 bytes") as caught:
        open_bundle(path)
    assert caught.value.code == "too_large"


def test_a_file_has_a_size_limit(path, monkeypatch):
    bundle = open_bundle(path)
    monkeypatch.setattr(store, "_MOST_BYTES", 6)
    assert bundle.read("extra/card.md") == b"a card"
    with pytest.raises(BundleError, match="is over 6 bytes"):
        bundle.read("model.onnx")


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path):
    with pytest.raises(BundleError, match=r"has no bundle\.json"):
        open_bundle(tmp_path)


def test_a_file_that_is_no_zip_is_refused(tmp_path):
    path = tmp_path / "call.mp3"
    path.write_bytes(b"no zip")
    with pytest.raises(BundleError, match="cannot be read") as caught:
        open_bundle(path)
    assert caught.value.code == "unreadable"


@pytest.mark.parametrize("at", range(0, 1000, 37))
def test_a_damaged_zip_gives_the_right_bytes_or_an_error_of_ours(tmp_path, at):
    path = zipped(write(tmp_path / "b"), tmp_path / "b.zip")
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 0xFF
    path.write_bytes(data)
    try:
        assert open_bundle(path).read("model.onnx") == FILES["model.onnx"]
    except BundleError as error:
        assert error.code in {"unreadable", "missing", "checksum", "manifest", "schema"}  # noqa: PT017


def test_a_zip_of_an_unusual_compression_is_refused(tmp_path):
    path = zipped(write(tmp_path / "b"), tmp_path / "b.zip", zipfile.ZIP_BZIP2)
    with pytest.raises(BundleError, match="neither stored nor deflated"):
        open_bundle(path)


def test_a_zip_that_points_beyond_any_file_is_refused(tmp_path):
    path = tmp_path / "far.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bundle.json", "{}")
        archive.filelist[0].header_offset = 2**64 - 1
    with pytest.raises(BundleError, match=r"bundle\.json cannot be read"):
        open_bundle(path)


def test_a_zip_is_never_unpacked(tmp_path):
    path = zipped(write(tmp_path / "in" / "b"), tmp_path / "b.zip")
    before = sorted(tmp_path.rglob("*"))
    open_bundle(path).read("model.onnx")
    assert sorted(tmp_path.rglob("*")) == before


def test_an_installation_without_a_detector_says_so():
    with pytest.raises(BundleError, match="ships no detector") as caught:
        open_bundle()
    assert caught.value.code == "missing"
    assert caught.value.hint


def test_the_shipped_bundle_is_opened_by_default_and_by_its_name(tmp_path, home):
    write(tmp_path / "shipped", version="shipped")
    write(home / "light", version="installed")
    assert open_bundle().manifest.version == "shipped"
    assert open_bundle("light").manifest.version == "shipped"


def test_an_installed_bundle_is_opened_by_its_name(home, tmp_path):
    write(home / "large", name="large")
    zipped(write(tmp_path / "b", name="packed"), home / "packed.zip")
    assert open_bundle("large").manifest.name == "large"
    assert open_bundle("packed").manifest.name == "packed"


def test_a_path_comes_before_a_name(home, tmp_path, monkeypatch):
    write(home / "light", version="installed")
    write(tmp_path / "here" / "light", version="here")
    monkeypatch.chdir(tmp_path / "here")
    assert open_bundle("light").manifest.version == "here"


def test_an_unknown_name_is_answered_with_close_ones(home):
    write(home / "lighter")
    write(home / "heavy")
    with pytest.raises(BundleError, match="no bundle 'ligther'") as caught:
        open_bundle("ligther")
    assert caught.value.hint == "did you mean lighter?"
    with pytest.raises(BundleError) as caught:
        open_bundle("xyz")
    assert caught.value.hint == "known names: heavy, lighter"


@pytest.mark.parametrize("model", ["", "x" * 5000, "a\0b"])
def test_an_impossible_name_is_refused(model):
    with pytest.raises(BundleError, match="no bundle"):
        open_bundle(model)


def test_a_path_that_is_not_there_is_not_taken_for_a_name(home):
    write(home / "light")
    with pytest.raises(BundleError, match="no bundle at nowhere/light"):
        open_bundle("nowhere/light")


def test_the_list_is_sorted_and_holds_what_is_broken(home, tmp_path):
    write(tmp_path / "shipped", name="middle")
    write(home / "zeta")
    write(home / "alpha")
    (home / "alpha" / "bundle.json").write_text("{")
    (home / "beta.zip").write_bytes(b"no zip")
    (home / "notes.txt").write_text("no bundle")
    (home / "empty").mkdir()
    assert list_bundles() == [
        ("alpha", home / "alpha"),
        ("beta", home / "beta.zip"),
        ("middle", tmp_path / "shipped"),
        ("zeta", home / "zeta"),
    ]


def test_a_broken_shipped_bundle_does_not_break_the_list(tmp_path):
    (tmp_path / "shipped").mkdir()
    assert list_bundles() == [("shipped", tmp_path / "shipped")]


def test_without_a_home_the_list_is_empty(home):
    assert list_bundles() == []
    home.parent.mkdir()
    home.write_text("a file where a folder should be")
    assert list_bundles() == []


def test_a_user_without_a_home_folder_has_no_installed_bundles(monkeypatch):
    """As in a container that runs under a number of its own."""

    def homeless():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("GLOTTIS_HOME", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr("pathlib.Path.home", homeless)
    assert list_bundles() == []
    with pytest.raises(BundleError, match="neither a path nor a name"):
        open_bundle("surely-not-there")


def test_the_home_follows_the_platform(monkeypatch, tmp_path):
    assert store.home() == tmp_path / "home" / "bundles"
    monkeypatch.delenv("GLOTTIS_HOME")
    monkeypatch.setattr(store.sys, "platform", "linux")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert store.home() == Path.home() / ".local" / "share" / "glottis" / "bundles"
    monkeypatch.setattr(store.sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "data"))
    assert store.home() == tmp_path / "data" / "glottis" / "bundles"


def test_a_bundle_is_written_over_an_older_one(tmp_path):
    write(tmp_path / "b")
    write_bundle(tmp_path / "b", {**FIELDS, "version": "2"}, {"model.onnx": b"new"})
    bundle = open_bundle(tmp_path / "b")
    assert bundle.manifest.version == "2"
    assert bundle.read("model.onnx") == b"new"
    assert not list((tmp_path / "b").rglob("*.part"))


def test_a_field_that_is_not_known_is_written_too(tmp_path):
    bundle = open_bundle(write(tmp_path / "b", colour="blue"))
    assert json.loads(bundle.read("bundle.json"))["colour"] == "blue"


@pytest.mark.parametrize(
    ("fields", "files", "message"),
    [
        ({"hop_samples": 0}, FILES, "hop_samples"),
        ({"metrics": {"eer": float("nan")}}, FILES, "no JSON"),
        ({"metrics": {"eer": object()}}, FILES, "no JSON"),
        ({}, {"other": b""}, "files"),
        ({}, {**FILES, "../out": b""}, "inside the bundle"),
    ],
)
def test_nothing_is_written_of_a_bundle_that_does_not_fit(tmp_path, fields, files, message):
    with pytest.raises(BundleError, match=message):
        write_bundle(tmp_path / "b", {**FIELDS, **fields}, files)
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_an_error_of_ours(tmp_path):
    (tmp_path / "b").write_text("a file")
    with pytest.raises(BundleError, match="cannot be written") as caught:
        write(tmp_path / "b")
    assert caught.value.code == "unwritable"
