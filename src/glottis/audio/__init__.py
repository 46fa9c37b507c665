"""Any recording to blocks of float32 samples at the wanted rate, in bounded memory."""

from glottis.audio.bandwidth import BandwidthMeter
from glottis.audio.channels import ChannelPolicy
from glottis.audio.decode import OpenRecording, open_recording
from glottis.audio.resample import StreamResampler
from glottis.audio.source import PCM, Limits, Recording, name_of
from glottis.audio.speech import SpeechMeter
from glottis.audio.windows import Windower

__all__ = [
    "PCM",
    "BandwidthMeter",
    "ChannelPolicy",
    "Limits",
    "OpenRecording",
    "Recording",
    "SpeechMeter",
    "StreamResampler",
    "Windower",
    "name_of",
    "open_recording",
]
