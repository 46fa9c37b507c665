"""A bundle with all that is needed to use it; shared by all recordings."""

from __future__ import annotations

from collections.abc import Sequence

from glottis.bundle import Bundle, Manifest
from glottis.calibration import Calibrator, Fusion, from_json
from glottis.config import Device
from glottis.detector.session import Session
from glottis.errors import BundleError


class Member:
    """One net on its device, with its bundle's manifest.

    Raises:
        BundleError: The model does not fit the manifest.
        ConfigError: The device is not there.
    """

    def __init__(self, bundle: Bundle, device: Device) -> None:
        self.manifest = bundle.manifest
        self.session = Session(
            bundle.read("model.onnx"),
            window_samples=bundle.manifest.window_samples,
            inputs=bundle.manifest.inputs,
            outputs=bundle.manifest.outputs,
            name=str(bundle.path / bundle.inside),
            device=device,
        )


class Model:
    """A bundle's members, and what is made of their scores. A bundle that is no ensemble is its own only member.

    Raises:
        BundleError: A model or a calibration does not fit its manifest.
        ConfigError: The device is not there.
    """

    def __init__(self, bundle: Bundle, device: Device = "cpu") -> None:
        calibration, fusion = bundle.manifest.calibration, bundle.manifest.fusion
        self.bundle = bundle
        self.recording_calibration: Calibrator | None = from_json(calibration["recording"]) if calibration else None
        self.window_calibration: Calibrator | None = from_json(calibration["window"]) if calibration else None
        if self.window_calibration is not None and self.window_calibration.needs not in (None, "speech_s"):
            raise BundleError(
                f"{bundle.path}: calibration.window needs {self.window_calibration.needs}, unknown while one listens",
                code="bad_calibration",
                hint="platt, isotonic or by_duration",
            )
        self.members = tuple(Member(one, device) for one in bundle.members or (bundle,))
        self._fusion: Fusion | None = None
        if fusion is not None:
            weights = tuple(map(float, fusion["weights"]))
            self._fusion = Fusion(bundle.manifest.members, weights, float(fusion["offset"]))

    @property
    def manifest(self) -> Manifest:
        """The bundle's manifest."""
        return self.bundle.manifest

    def fuse(self, scores: Sequence[float]) -> float:
        """The members' scores as one, of a recording or of a window."""
        return scores[0] if self._fusion is None else float(self._fusion.apply([scores])[0])
