from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DEFAULT = ROOT / "src" / "glottis" / "bundle" / "default" / "bundle.json"
HEAVY = ["torch", "matplotlib", "fastapi", "onnxruntime", "av", "numpy", "rich", "click", "webrtcvad", "transformers"]
IMPORT_S = 0.15


def in_a_fresh_process(code: str):
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], check=True, capture_output=True, text=True, timeout=120
    )
    assert run.stderr == ""
    return json.loads(run.stdout)


@pytest.fixture(scope="module")
def at_import():
    return in_a_fresh_process(
        """
        import json, logging, os, random, signal, sys, threading, warnings
        def state():
            return {
                "environment": dict(os.environ),
                "handlers": len(logging.getLogger().handlers),
                "level": logging.getLogger().level,
                "threads": threading.active_count(),
                "folder": os.getcwd(),
                "interrupt": str(signal.getsignal(signal.SIGINT)),
                "filters": len(warnings.filters),
                "random": hash(random.getstate()),
                "excepthook": sys.excepthook is sys.__excepthook__,
            }
        before = state()
        import glottis
        after = state()
        print(json.dumps({"before": before, "after": after, "modules": sorted(sys.modules), "names": dir(glottis)}))
        """
    )


@pytest.mark.parametrize("module", HEAVY)
def test_import_brings_in_nothing_heavy(at_import, module):
    assert module not in at_import["modules"]


def test_import_is_quick():
    """In time of the processor, so that what else runs here does not count; the best of three."""
    code = (
        "import json, time; began = time.process_time(); import glottis; print(json.dumps(time.process_time() - began))"
    )
    assert min(in_a_fresh_process(code) for _ in range(3)) < IMPORT_S


def test_import_has_no_side_effects(at_import):
    assert at_import["before"] == at_import["after"]


def test_dir_names_everything_public(at_import):
    assert {"scan", "Detector", "Verdict", "Window", "GlottisError", "__version__"} <= set(at_import["names"])


def test_errors_come_without_numpy():
    assert in_a_fresh_process(
        "import json, sys, glottis; glottis.InputError; print(json.dumps({'numpy': 'numpy' in sys.modules}))"
    ) == {"numpy": False}


def test_an_unknown_name_is_an_attribute_error():
    import glottis

    with pytest.raises(AttributeError, match="no attribute 'skan'"):
        _ = glottis.skan


def test_every_public_name_is_there():
    import glottis

    for name in glottis.__all__:
        assert getattr(glottis, name) is not None


@pytest.mark.skipif(not DEFAULT.exists(), reason="needs the shipped bundle, which recipes/ makes")
def test_a_scan_brings_in_no_optional_package():
    """Where everything is installed, a scan still imports none of it; `make bare` shows that it needs none."""
    loaded = in_a_fresh_process(
        f"""
        import json, sys
        import glottis
        glottis.scan({str(ROOT / "examples" / "recordings" / "human-fr-june.mp3")!r})
        print(json.dumps(sorted(sys.modules)))
        """
    )
    assert not {"torch", "onnx", "scipy", "sklearn", "matplotlib", "fastapi", "transformers", "rich", "click"} & set(
        loaded
    )
