"""A manifest that does not fit is refused with the field that is wrong, what it must be, and what it is."""

import json
import math

import pytest

from glottis.bundle import Costs, Manifest
from glottis.errors import BundleError

CALIBRATION = {"kind": "platt", "scale": 1.0, "offset": 0.0}
STORED = {
    "schema": 1,
    "name": "light",
    "version": "1.2",
    "created": "2026-01-02",
    "licence": "Apache-2.0",
    "requires": {"glottis": ">=0.1"},
    "sample_rate_hz": 16_000,
    "window_samples": 64_000,
    "hop_samples": 32_000,
    "min_speech_s": 0.5,
    "files": {"model.onnx": "0" * 64, "extra/domain.npz": "f" * 64},
    "inputs": "samples",
    "outputs": ["score", "embedding"],
    "aggregate": {"kind": "softmin", "temperature": 0.5},
    "calibration": {"recording": CALIBRATION, "window": CALIBRATION},
    "decision": {
        "cost_spoof_accepted": 2,
        "cost_bonafide_rejected": 1.0,
        "cost_inconclusive": 0.2,
        "prior_spoof": 0.1,
    },
    "domain": None,
    "torch": None,
    "members": [],
    "fusion": None,
    "trained_on": ["one", "two"],
    "metrics": {"dev_pooled_eer": 0.03},
    "recipe": "recipe.json",
}
REQUIRED = (
    "name",
    "version",
    "sample_rate_hz",
    "window_samples",
    "hop_samples",
    "min_speech_s",
    "files",
    "outputs",
    "aggregate",
    "calibration",
    "decision",
)


def decision(**change):
    return {"decision": {**STORED["decision"], **change}}


def files(**change):
    return {"files": {**STORED["files"], **change}}


def test_every_field_is_taken_over():
    manifest = Manifest.from_dict(STORED)
    assert manifest.name == "light"
    assert manifest.outputs == ("score", "embedding")
    assert manifest.decision == Costs(2.0, 1.0, 0.2, 0.1)
    assert manifest.trained_on == ("one", "two")
    assert manifest.members == ()
    assert manifest.requires == {"glottis": ">=0.1"}


def test_a_manifest_survives_json():
    assert Manifest.from_dict(STORED).to_dict() == STORED
    assert Manifest.from_dict(json.loads(json.dumps(STORED))) == Manifest.from_dict(STORED)


def test_a_manifest_cannot_be_changed():
    with pytest.raises(AttributeError):
        Manifest.from_dict(STORED).name = "other"


def test_a_field_of_a_later_version_is_passed_over():
    assert Manifest.from_dict({**STORED, "colour": "blue"}) == Manifest.from_dict(STORED)


@pytest.mark.parametrize("schema", [2, 0, "1", None, True])
def test_another_schema_is_refused(schema):
    with pytest.raises(BundleError, match="schema must be 1") as caught:
        Manifest.from_dict({**STORED, "schema": schema})
    assert caught.value.code == "schema"
    assert caught.value.hint


@pytest.mark.parametrize("stored", [None, [], "x", 1])
def test_what_is_no_object_is_refused(stored):
    with pytest.raises(BundleError, match="must be an object"):
        Manifest.from_dict(stored)


@pytest.mark.parametrize("name", REQUIRED)
def test_a_missing_field_is_named(name):
    with pytest.raises(BundleError, match=rf"{name} is missing"):
        Manifest.from_dict({key: value for key, value in STORED.items() if key != name})


@pytest.mark.parametrize("name", sorted(set(STORED) - set(REQUIRED) - {"schema"}))
def test_the_other_fields_may_be_left_out(name):
    Manifest.from_dict({key: value for key, value in STORED.items() if key != name})


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": ".."}, "name"),
        ({"name": "a b"}, "name"),
        ({"name": "a" * 101}, "name"),
        ({"name": 3}, "name"),
        ({"version": 1}, "version"),
        ({"version": ""}, "version"),
        ({"created": 2026}, "created"),
        ({"licence": None}, "licence"),
        ({"requires": []}, "requires"),
        ({"sample_rate_hz": 16_000.0}, "sample_rate_hz"),
        ({"sample_rate_hz": 0}, "sample_rate_hz"),
        ({"sample_rate_hz": True}, "sample_rate_hz"),
        ({"window_samples": -1}, "window_samples"),
        ({"window_samples": 10**12}, "window_samples"),
        ({"hop_samples": "1"}, "hop_samples"),
        ({"hop_samples": 64_001}, "hop_samples"),
        ({"min_speech_s": -0.1}, "min_speech_s"),
        ({"min_speech_s": math.nan}, "min_speech_s"),
        ({"min_speech_s": math.inf}, "min_speech_s"),
        ({"min_speech_s": 10**400}, "min_speech_s"),
        ({"min_speech_s": False}, "min_speech_s"),
        ({"files": []}, "files"),
        ({"files": {"other.onnx": "0" * 64}}, "files"),
        (files(more="0" * 63), r"files\['more'\]"),
        (files(more="A" * 64), r"files\['more'\]"),
        (files(more=None), r"files\['more'\]"),
        ({"inputs": ""}, "inputs"),
        ({"outputs": "score"}, "outputs"),
        ({"outputs": ["embedding"]}, "outputs"),
        ({"outputs": ["score", "score"]}, "outputs"),
        ({"outputs": ["score", "mood"]}, "outputs"),
        ({"outputs": ["score", []]}, "outputs"),
        ({"aggregate": None}, "aggregate"),
        ({"aggregate": {}}, "aggregate.kind"),
        ({"aggregate": {"kind": "median"}}, "aggregate.kind"),
        ({"aggregate": {"kind": ["mean"]}}, "aggregate.kind"),
        ({"aggregate": {"kind": "softmin"}}, "aggregate.temperature"),
        ({"aggregate": {"kind": "softmin", "temperature": 0}}, "aggregate.temperature"),
        ({"aggregate": {"kind": "softmin", "temperature": -1}}, "aggregate.temperature"),
        ({"calibration": []}, "calibration"),
        ({"calibration": {"recording": CALIBRATION}}, "calibration.window"),
        ({"calibration": {"recording": {}, "window": CALIBRATION}}, "calibration.recording.kind"),
        ({"decision": None}, "decision"),
        ({"decision": {}}, "decision.cost_spoof_accepted"),
        (decision(cost_spoof_accepted=0), "decision.cost_spoof_accepted"),
        (decision(cost_bonafide_rejected=0), "decision.cost_bonafide_rejected"),
        (decision(cost_inconclusive=-1), "decision.cost_inconclusive"),
        (decision(prior_spoof=0), "decision.prior_spoof"),
        (decision(prior_spoof=1), "decision.prior_spoof"),
        (decision(prior_spoof="half"), "decision.prior_spoof"),
        ({"domain": []}, "domain"),
        ({"torch": "net"}, "torch"),
        ({"members": {}}, "members"),
        ({"fusion": 1}, "fusion"),
        ({"trained_on": "one"}, "trained_on"),
        ({"trained_on": ["one", 2]}, r"trained_on\[1\]"),
        ({"metrics": None}, "metrics"),
        ({"recipe": {}}, "recipe"),
    ],
)
def test_a_field_that_does_not_fit_is_named_with_what_it_must_be(change, name):
    with pytest.raises(BundleError, match=rf"bundle\.json: {name} must be .+, and is ") as caught:
        Manifest.from_dict({**STORED, **change})
    assert caught.value.code == "manifest"
    assert caught.value.hint


@pytest.mark.parametrize(
    "file",
    [
        "../model",
        "a/../../b",
        "/etc/passwd",
        "a\\b",
        "C:x",
        "",
        ".",
        "a//b",
        "a/",
        "bundle.json",
        "Bundle.JSON",
        "a\0b",
    ],
)
def test_a_file_outside_of_the_bundle_is_refused(file):
    with pytest.raises(BundleError, match="a relative path with forward slashes inside the bundle"):
        Manifest.from_dict({**STORED, **files(**{file: "0" * 64})})


@pytest.mark.parametrize("aggregate", [{"kind": "mean"}, {"kind": "first"}, {"kind": "softmin", "temperature": 2}])
def test_the_kinds_of_aggregate(aggregate):
    assert Manifest.from_dict({**STORED, "aggregate": aggregate}).aggregate == aggregate


def test_a_bundle_may_be_uncalibrated():
    assert Manifest.from_dict({**STORED, "calibration": None}).calibration is None
