"""What happens to a voice on its way: parameters are drawn apart from being applied, and survive JSON.

The label of a clip is never seen here: both labels meet the same chains.
"""

from __future__ import annotations

from glottis.augment._spectrum import resample
from glottis.augment.band_limit import BandLimit, draw_band_limit
from glottis.augment.chain import DRAWS, TRANSFORMS, Chain, apply, from_json, to_json
from glottis.augment.codec import FORMATS, Codec, draw_codec
from glottis.augment.equaliser import Equaliser, draw_equaliser
from glottis.augment.gain import Gain, draw_gain
from glottis.augment.noise import Noise, draw_noise
from glottis.augment.room import Room, draw_room
from glottis.augment.transform import Transform

__all__ = [
    "DRAWS",
    "FORMATS",
    "TRANSFORMS",
    "BandLimit",
    "Chain",
    "Codec",
    "Equaliser",
    "Gain",
    "Noise",
    "Room",
    "Transform",
    "apply",
    "draw_band_limit",
    "draw_codec",
    "draw_equaliser",
    "draw_gain",
    "draw_noise",
    "draw_room",
    "from_json",
    "resample",
    "to_json",
]
