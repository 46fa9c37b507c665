"""A detector as it travels: a folder or a zip with its manifest, its model files and its model card."""

from glottis.bundle.ensemble import write_ensemble
from glottis.bundle.manifest import Costs, Manifest
from glottis.bundle.store import Bundle, copy_bundle, list_bundles, open_bundle, write_bundle

__all__ = [
    "Bundle",
    "Costs",
    "Manifest",
    "copy_bundle",
    "list_bundles",
    "open_bundle",
    "write_bundle",
    "write_ensemble",
]
