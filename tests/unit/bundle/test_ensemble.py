"""An ensemble holds its members whole, and one that does not fit is refused with the field that is wrong."""

import hashlib
import json
import math
import zipfile

import pytest

from glottis.bundle import open_bundle, write_bundle, write_ensemble
from glottis.errors import BundleError

IDENTITY = {"kind": "platt", "scale": 1.0, "offset": 0.0}
DECISION = {
    "cost_spoof_accepted": 1.0,
    "cost_bonafide_rejected": 1.0,
    "cost_inconclusive": 0.2,
    "prior_spoof": 0.5,
}
SINGLE = {
    "name": "light",
    "version": "1",
    "licence": "MIT",
    "sample_rate_hz": 16_000,
    "window_samples": 16_000,
    "hop_samples": 8_000,
    "min_speech_s": 0.5,
    "outputs": ["score"],
    "aggregate": {"kind": "mean"},
    "calibration": None,
    "decision": DECISION,
    "trained_on": ["one"],
}
OWN = {"name": "both", "version": "3", "calibration": {"recording": IDENTITY, "window": IDENTITY}, "decision": DECISION}


def single(folder, **change):
    files = {"model.onnx": b"a model", "README.md": b"a card", "extra/weights.bin": b"weights"}
    return open_bundle(write_bundle(folder, {**SINGLE, **change}, files))


@pytest.fixture
def members(tmp_path):
    """Two bundles of different windows."""
    other = {"name": "other", "window_samples": 20_000, "licence": "Apache-2.0", "trained_on": ["one", "two"]}
    return [single(tmp_path / "light"), single(tmp_path / "other", **other)]


@pytest.fixture
def both(members, tmp_path):
    return write_ensemble(tmp_path / "both", members, [0.5, 2.0], -1.0, OWN)


def zipped(folder, path):
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*"):
            if file.is_file():
                archive.write(file, file.relative_to(folder).as_posix())
    return path


def change(folder, **fields):
    """Lay fields over the manifest of a written bundle, whatever they are."""
    manifest = folder / "bundle.json"
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), **fields}))
    return folder


def listed_anew(folder):
    """Let the manifest list the files as they are."""
    files = {file.relative_to(folder).as_posix(): file for file in folder.rglob("*") if file.is_file()}
    del files["bundle.json"]
    return change(folder, files={name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in files.items()})


def refused(folder):
    with pytest.raises(BundleError) as caught:
        open_bundle(folder)
    assert caught.value.message.startswith(str(folder))
    return caught.value


@pytest.mark.parametrize("form", ["folder", "zip"])
def test_the_members_lie_in_it_whole(both, members, tmp_path, form):
    path = both if form == "folder" else zipped(both, tmp_path / "both.zip")
    bundle = open_bundle(path)
    assert bundle.manifest.members == ("light", "other")
    assert bundle.manifest.fusion == {"kind": "linear", "weights": [0.5, 2.0], "offset": -1.0}
    for member, one in zip(bundle.members, members, strict=True):
        assert (member.manifest, member.sha256) == (one.manifest, one.sha256)
        assert all(member.read(file) == one.read(file) for file in ("bundle.json", *one.manifest.files))
        assert member.verdict_sha256 == one.verdict_sha256


def test_a_member_in_a_folder_is_a_bundle_of_its_own(both, members):
    assert open_bundle(both / "members" / "other").sha256 == members[1].sha256


def test_what_is_said_of_windows_is_the_first_members(both, members):
    manifest, first = open_bundle(both).manifest, members[0].manifest
    for name in ("sample_rate_hz", "window_samples", "hop_samples", "min_speech_s", "outputs", "aggregate"):
        assert getattr(manifest, name) == getattr(first, name)
    assert manifest.licence == "MIT and Apache-2.0"
    assert manifest.trained_on == ("one", "two")
    assert "| other | 1 | 2 | Apache-2.0 |" in open_bundle(both).read("README.md").decode()


def test_of_two_with_one_name_each_keeps_its_own(members, tmp_path):
    twice = open_bundle(write_ensemble(tmp_path / "twice", [members[0], *members], [1, 1, 1], 0, OWN))
    assert twice.manifest.members == ("light", "light-2", "other")


def test_a_verdict_depends_on_members_weights_and_calibration_and_on_no_card(members, both, tmp_path):
    before = open_bundle(both)
    other = single(tmp_path / "new", name="other", window_samples=20_000, metrics={"dev_pooled_eer": 0.1})
    renamed = {**OWN, "name": "renamed", "metrics": {"dev_pooled_eer": 0.2}}
    same = open_bundle(write_ensemble(tmp_path / "same", [members[0], other], [0.5, 2.0], -1.0, renamed))
    assert same.sha256 != before.sha256
    assert same.verdict_sha256 == before.verdict_sha256
    weighed = open_bundle(write_ensemble(tmp_path / "weighed", members, [0.5, 2.1], -1.0, OWN))
    swapped = open_bundle(write_ensemble(tmp_path / "swapped", members[::-1], [0.5, 2.0], -1.0, OWN))
    assert len({one.verdict_sha256 for one in (before, weighed, swapped)}) == 3


def test_where_one_net_is_needed_a_member_is_named(both):
    with pytest.raises(BundleError, match="an ensemble of light, other has no single net") as caught:
        open_bundle(both).check_single()
    assert caught.value.code == "ensemble"
    assert open_bundle(caught.value.hint.rpartition(": ")[2]).manifest.name == "light"
    with pytest.raises(BundleError, match="has no single net") as caught:
        open_bundle(zipped(both, both.parent / "both.zip")).check_single()
    assert "unzip it" in caught.value.hint


def test_an_ensemble_is_no_member(both, members, tmp_path):
    with pytest.raises(BundleError, match="has no single net"):
        write_ensemble(tmp_path / "nested", [members[0], open_bundle(both)], [1, 1], 0, OWN)
    inside = both / "members" / "other"
    (inside / "bundle.json").write_bytes((both / "bundle.json").read_bytes())
    assert "members['other'] must be a bundle without members of its own" in refused(listed_anew(both)).message


def test_members_take_one_rate(both, members, tmp_path):
    fast = single(tmp_path / "fast", sample_rate_hz=48_000)
    with pytest.raises(BundleError, match=r"takes 16000 Hz and .*fast 48000 Hz"):
        write_ensemble(tmp_path / "mixed", [members[0], fast], [1, 1], 0, OWN)
    change(both / "members" / "other", sample_rate_hz=48_000)
    assert "sample_rate_hz must be that of all members (other's is 48000)" in refused(listed_anew(both)).message


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"members": ["light"]}, "members must be a list of 2 to 16 names"),
        ({"members": [f"m{i}" for i in range(17)]}, "members must be a list of 2 to 16 names"),
        ({"members": ["light", "LIGHT"]}, "members must be names of which none comes twice"),
        ({"members": ["light", "../other"]}, "members[1] must be up to 100 letters"),
        ({"members": ["light", {"name": "other"}]}, "members[1] must be up to 100 letters"),
        ({"members": ["light", "third"]}, "files must be a table with members/third/bundle.json in it"),
        ({"members": []}, "files must be a table with model.onnx in it"),
        ({"fusion": None}, "fusion must be an object where there are members"),
        ({"fusion": {"kind": "mean"}}, "fusion.kind must be linear"),
        ({"fusion": {"kind": "linear", "weights": "11", "offset": 0}}, "fusion.weights must be a list"),
        ({"fusion": {"kind": "linear", "weights": [1], "offset": 0}}, "fusion.weights must be a list of 2 numbers"),
        ({"fusion": {"kind": "linear", "weights": [1, math.nan], "offset": 0}}, "fusion.weights[1] must be a number"),
        ({"fusion": {"kind": "linear", "weights": [-1, 1], "offset": 0}}, "fusion.weights[0] must be a number of 0"),
        ({"fusion": {"kind": "linear", "weights": [1, True], "offset": 0}}, "fusion.weights[1] must be a number"),
        ({"fusion": {"kind": "linear", "weights": [1, 1e308], "offset": 0}}, "fusion.weights[1] must be a number"),
        (
            {"fusion": {"kind": "linear", "weights": [1, 1]}},
            "fusion.offset must be a number of -1e+09 or more, at most",
        ),
        (
            {"fusion": {"kind": "linear", "weights": [1, 1], "offset": 10**400}},
            "fusion.offset must be a number of -1e+09 or more, at most",
        ),
        ({"window_samples": 20_000}, "window_samples must be 16000, as its first member's"),
        ({"hop_samples": 16_000}, "hop_samples must be 8000, as its first member's"),
        ({"min_speech_s": 0}, "min_speech_s must be 0.5, as its first member's"),
        ({"outputs": ["score", "speech"]}, "outputs must be ('score',), as its first member's"),
        ({"aggregate": {"kind": "first"}}, "aggregate must be {'kind': 'mean'}, as its first member's"),
    ],
)
def test_a_field_that_does_not_fit_is_named(both, fields, said):
    error = refused(change(both, **fields))
    assert f"bundle.json: {said}" in error.message
    assert error.code == "manifest"


def test_a_fusion_of_nothing_is_refused(members):
    folder = change(members[0].path, fusion={"kind": "linear", "weights": [1], "offset": 0})
    assert "fusion must be an object where there are members, and else null" in refused(folder).message


@pytest.mark.parametrize("file", ["members/other/../../secret", "/members/other/model.onnx", "members\\other\\x"])
def test_a_file_outside_of_it_is_refused(both, file):
    files = json.loads((both / "bundle.json").read_text())["files"]
    assert "a relative path with forward slashes" in refused(change(both, files={**files, file: "0" * 64})).message


def test_a_member_without_its_manifest_is_refused(both):
    (both / "members" / "other" / "bundle.json").unlink()
    error = refused(both)
    assert (error.code, "members/other/bundle.json" in error.message) == ("missing", True)


def test_a_members_manifest_that_was_changed_is_refused(both):
    change(both / "members" / "other", version="2")
    error = refused(both)
    assert error.code == "checksum"
    assert "members/other/bundle.json is not the file that the manifest lists" in error.message


def test_a_member_that_lists_other_files_than_the_ensemble_is_refused(both):
    """Else the ensemble's digest would not name what judges."""
    files = json.loads((both / "bundle.json").read_text())["files"]
    change(both, files={**files, "members/other/model.onnx": "0" * 64})
    assert "files['members/other/model.onnx'] must be what the member lists" in refused(both).message


def test_a_members_file_that_was_changed_or_is_gone_is_refused_when_it_is_read(both):
    model = both / "members" / "other" / "model.onnx"
    model.write_bytes(b"b model")
    with pytest.raises(BundleError, match=r"members/other/model\.onnx is not the file") as caught:
        open_bundle(both).members[1].read("model.onnx")
    assert caught.value.code == "checksum"
    model.unlink()
    with pytest.raises(BundleError, match=r"has no members/other/model\.onnx"):
        open_bundle(both).members[1].read("model.onnx")
