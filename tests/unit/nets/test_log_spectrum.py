"""The front-end is the log power spectrum, computed the slow and sure way here."""

import numpy as np
import torch

from glottis.nets.frontends import LogSpectrum


def test_it_equals_the_fourier_transform():
    x = np.random.default_rng(0).normal(0, 0.1, 4000)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    frames = [np.fft.rfft(x[i : i + 512] * window / window.sum()) for i in range(0, 4000 - 511, 160)]
    expected = np.log(np.abs(np.array(frames).T) ** 2 + 1e-9)
    expected -= expected.mean()
    got = LogSpectrum()(torch.tensor(x, dtype=torch.float32)[None])[0, 0]
    np.testing.assert_allclose(got.numpy(), expected, atol=2e-3)


def test_silence_is_finite_and_flat():
    assert LogSpectrum()(torch.zeros(1, 4000)).abs().max() < 1e-5
