"""Encoders are fetched from a hub at one commit, without pickles, and are what the hub states."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from glottis.errors import BundleError, ConfigError, ServiceError
from hub_server import COMMIT, Hub, serve

pytest.importorskip("huggingface_hub")
from glottis.bundle.hub import fetch

FILES = {
    "config.json": b'{"model_type": "wav2vec2"}',
    "preprocessor_config.json": b"{}",
    "model.safetensors": bytes(range(256)) * 8,
    "pytorch_model.bin": b"a pickle",
    "training_args.bin": b"another",
    "tf_model.h5": b"more",
    "custom_code.py": b"raise SystemExit",
    "onnx/config.json": b"{}",
}
WANTED = {"config.json", "preprocessor_config.json", "model.safetensors"}


@pytest.fixture
def hub():
    with serve(Hub(dict(FILES))) as served:
        yield served


def files_of(folder: Path) -> set[str]:
    """What lies in the folder, beside huggingface_hub's own notes."""
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith(".cache")}


def test_safetensors_and_settings_are_fetched_and_nothing_that_could_run(hub, tmp_path):
    fetched = fetch(hub.repo, tmp_path, endpoint=hub.url)
    assert files_of(tmp_path) == WANTED | {"fetched.json"}
    assert {name: (tmp_path / name).read_bytes() for name in WANTED} == {name: FILES[name] for name in WANTED}
    assert dict(fetched.sha256) == {name: hashlib.sha256(FILES[name]).hexdigest() for name in WANTED}
    assert json.loads((tmp_path / "fetched.json").read_text()) == {
        "schema": 1,
        "repo": "someone/tiny",
        "revision": "main",
        "commit": COMMIT,
        "licence": "apache-2.0",
        "sha256": dict(fetched.sha256),
    }


def test_a_branch_is_pinned_to_its_commit_before_a_file_is_asked_for(hub, tmp_path):
    assert fetch(hub.repo, tmp_path, revision="refs/pr/1", endpoint=hub.url).commit == COMMIT
    files = [path for _, path, _ in hub.asked if "/resolve/" in path]
    assert files
    assert all(f"/resolve/{COMMIT}/" in path for path in files)


def test_a_commit_is_fetched_as_it_is(hub, tmp_path):
    assert fetch(hub.repo, tmp_path, revision=COMMIT, endpoint=hub.url).revision == COMMIT


def test_what_is_there_is_not_fetched_again(hub, tmp_path):
    fetch(hub.repo, tmp_path, endpoint=hub.url)
    hub.asked.clear()
    fetch(hub.repo, tmp_path, endpoint=hub.url)
    assert not [path for _, path, _ in hub.asked if "/resolve/" in path]


def test_a_fetch_that_was_cut_goes_on_with_the_file_that_is_missing(hub, tmp_path):
    hub.lost.add("model.safetensors")
    with pytest.raises(ServiceError):
        fetch(hub.repo, tmp_path, endpoint=hub.url)
    assert not (tmp_path / "fetched.json").exists()
    hub.lost.clear()
    hub.asked.clear()
    fetch(hub.repo, tmp_path, endpoint=hub.url)
    assert files_of(tmp_path) == WANTED | {"fetched.json"}
    assert not [path for _, path, _ in hub.asked if path.endswith("config.json")]


@pytest.mark.parametrize("change", [{"repo": "someone/else"}, {"commit": "f" * 40}])
def test_what_was_cut_of_another_model_is_not_gone_on_with(hub, tmp_path, change):
    hub.lost.add("model.safetensors")
    with pytest.raises(ServiceError):
        fetch(hub.repo, tmp_path, endpoint=hub.url)
    claim = json.loads((tmp_path / "fetching.json").read_text())
    assert claim == {"repo": hub.repo, "commit": COMMIT}
    (tmp_path / "fetching.json").write_text(json.dumps(claim | change))
    with pytest.raises(ConfigError, match=next(iter(change.values()))[:12]) as caught:
        fetch(hub.repo, tmp_path, endpoint=hub.url)
    assert caught.value.code == "other_model"


def test_a_folder_with_a_cache_of_another_program_is_left_alone(hub, tmp_path):
    (tmp_path / ".cache" / "huggingface").mkdir(parents=True)
    (tmp_path / "config.json").write_text("mine")
    with pytest.raises(ConfigError, match="holds other files"):
        fetch(hub.repo, tmp_path, endpoint=hub.url)
    assert (tmp_path / "config.json").read_text() == "mine"


def test_a_cut_while_a_note_is_written_blocks_nothing(hub, tmp_path):
    (tmp_path / "fetching.json.part").write_text("{")
    fetch(hub.repo, tmp_path, endpoint=hub.url)
    assert files_of(tmp_path) == WANTED | {"fetched.json"}


def test_a_dropped_line_is_taken_up_where_it_broke(hub, tmp_path):
    hub.files["model.safetensors"] = os.urandom(12 * 2**20)
    hub.cut_at = 11 * 2**20
    fetch(hub.repo, tmp_path, endpoint=hub.url)
    assert (tmp_path / "model.safetensors").read_bytes() == hub.files["model.safetensors"]
    assert [wanted for _, _, wanted in hub.asked if wanted] == [f"bytes={10 * 2**20}-"]


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_file_that_is_not_what_the_hub_states_is_refused_and_removed(hub, tmp_path, name):
    hub.stated[name] = FILES[name][:-1] + b"!"
    with pytest.raises(BundleError, match=name) as caught:
        fetch(hub.repo, tmp_path, endpoint=hub.url)
    assert caught.value.code == "checksum"
    assert not (tmp_path / name).exists()
    assert not (tmp_path / "fetched.json").exists()


def test_a_file_that_was_changed_here_is_found_out(hub, tmp_path):
    fetch(hub.repo, tmp_path, endpoint=hub.url)
    (tmp_path / "model.safetensors").write_bytes(b"something else")
    with pytest.raises(BundleError, match=r"model\.safetensors"):
        fetch(hub.repo, tmp_path, endpoint=hub.url)
    fetch(hub.repo, tmp_path, endpoint=hub.url)
    assert (tmp_path / "model.safetensors").read_bytes() == FILES["model.safetensors"]


def test_a_model_in_shards(hub, tmp_path):
    del hub.files["model.safetensors"]
    shards = {f"model-0000{i}-of-00002.safetensors": bytes([i]) for i in (1, 2)}
    hub.files.update(shards | {"model.safetensors.index.json": b"{}"})
    fetch(hub.repo, tmp_path, endpoint=hub.url)
    assert files_of(tmp_path) >= set(shards) | {"model.safetensors.index.json"}


@pytest.mark.parametrize("missing", ["model.safetensors", "config.json"])
def test_a_model_of_pickles_alone_is_refused_before_anything_is_fetched(hub, tmp_path, missing):
    del hub.files[missing]
    with pytest.raises(BundleError, match=r"no model\.safetensors with a config\.json") as caught:
        fetch(hub.repo, tmp_path, endpoint=hub.url)
    assert caught.value.code == "no_safetensors"
    assert "refs/pr/" in caught.value.hint
    assert files_of(tmp_path) == set()


def test_another_model_in_the_folder_is_not_overwritten(hub, tmp_path):
    fetch(hub.repo, tmp_path, endpoint=hub.url)
    kept = json.loads((tmp_path / "fetched.json").read_text())
    (tmp_path / "fetched.json").write_text(json.dumps(kept | {"commit": "f" * 40}))
    with pytest.raises(ConfigError, match="ffffffffffff") as caught:
        fetch(hub.repo, tmp_path, endpoint=hub.url)
    assert caught.value.code == "other_model"


def test_a_folder_of_something_else_is_left_alone(hub, tmp_path):
    (tmp_path / "config.json").write_text("mine")
    with pytest.raises(ConfigError, match="holds other files"):
        fetch(hub.repo, tmp_path, endpoint=hub.url)
    assert (tmp_path / "config.json").read_text() == "mine"


def test_what_the_hub_does_not_have_or_give(hub, tmp_path):
    for repo, revision, code in (("someone/none", "main", "not_found"), (hub.repo, "nope", "not_found")):
        with pytest.raises(ServiceError) as caught:
            fetch(repo, tmp_path, revision=revision, endpoint=hub.url)
        assert caught.value.code == code
    hub.gated = True
    with pytest.raises(ServiceError, match="gated") as caught:
        fetch(hub.repo, tmp_path, endpoint=hub.url)
    assert (caught.value.code, "HF_TOKEN" in caught.value.hint) == ("gated", True)


def test_without_a_network_it_says_so(tmp_path):
    with pytest.raises(ServiceError, match="cannot be reached") as caught:
        fetch("someone/tiny", tmp_path, endpoint="http://127.0.0.1:9")
    assert caught.value.code == "no_network"


@pytest.mark.parametrize("repo", ["a/b/c", "../up", "", "https://huggingface.co/a/b"])
def test_a_name_that_is_none(repo, tmp_path):
    with pytest.raises(ConfigError, match="no name of a model"):
        fetch(repo, tmp_path, endpoint="http://127.0.0.1:9")


def test_a_folder_that_cannot_be_written(hub, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="file"):
        fetch(hub.repo, tmp_path / "file" / "folder", endpoint=hub.url)


def glottis(*args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "glottis", *args],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command(hub, tmp_path):
    done = glottis("models", "fetch", hub.repo, "--output", str(tmp_path / "tiny"), HF_ENDPOINT=hub.url)
    assert (done.returncode, done.stdout) == (0, f"{tmp_path / 'tiny'}\n"), done.stderr
    assert f"someone/tiny at {COMMIT}, 3 files, licence: apache-2.0" in done.stderr
    refused = glottis(
        "models", "fetch", hub.repo, "--output", str(tmp_path / "x"), HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1"
    )
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Traceback" not in refused.stderr
    assert "cannot be reached" in refused.stderr
