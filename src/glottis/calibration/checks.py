"""What stored numbers must be to be a calibration."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from glottis.errors import BundleError


def check_linear(kind: str, scales: ArrayLike, offsets: ArrayLike) -> None:
    """Refuse scales that are not over 0, and what is not finite.

    Raises:
        BundleError: They are no calibration (``bad_calibration``).
    """
    have_scales, have_offsets = np.asarray(scales, dtype=np.float64), np.asarray(offsets, dtype=np.float64)
    if have_scales.shape != have_offsets.shape:
        raise BundleError(f"{kind} calibration: unequal numbers of scales and offsets", code="bad_calibration")
    if not (np.isfinite(have_scales).all() and (have_scales > 0).all() and np.isfinite(have_offsets).all()):
        raise BundleError(f"{kind} calibration: scale must be over 0, and all finite", code="bad_calibration")


def check_knots(kind: str, name: str, knots: tuple[float, ...], values: tuple[float, ...]) -> None:
    """Refuse knots that do not increase, and other numbers of values than of knots.

    Raises:
        BundleError: They are no calibration (``bad_calibration``).
    """
    if len(knots) != len(values) or not knots:
        raise BundleError(f"{kind} calibration: {len(knots)} {name} for {len(values)} values", code="bad_calibration")
    if not (np.isfinite(knots).all() and np.isfinite(values).all() and (np.diff(knots) > 0).all()):
        raise BundleError(f"{kind} calibration: {name} must be finite and increase", code="bad_calibration")
