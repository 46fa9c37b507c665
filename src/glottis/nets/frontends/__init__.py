"""Front-ends: samples to features, inside the net, so that a bundle takes samples."""

from glottis.nets.frontends.log_spectrum import LogSpectrum

__all__ = ["LogSpectrum"]
