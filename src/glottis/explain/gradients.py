"""Gradients: the input's gradient times the input, cell by cell; a first guess of occlusion from one backward pass.

After Simonyan et al., "Deep Inside Convolutional Networks", 2014, and Shrikumar et al., "Not Just a Black Box",
2016 (gradient x input), with the parts of the spectrogram as the input. It needs torch, and a bundle with its
trainable net in it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from glottis._extras import need
from glottis.explain.occlusion import only
from glottis.explain.spectrum import Canvas, Floats
from glottis.verdict import Samples


def gradient(net: Any, samples: Samples, window_samples: int) -> Floats:
    """The score's gradient at the samples, ``(n,)``: where a window repeats them, that of all repetitions.

    Args:
        net: Samples ``(batch, window_samples)`` to ``(score (batch,), ...)``.
        samples: The stretch, ``(n,)``, n at most a window.
        window_samples: The length of a window.
    """
    torch: Any = need("torch", extra="train")
    window = torch.from_numpy(np.resize(samples, window_samples)[None].copy()).requires_grad_()
    net(window)[0].sum().backward()
    whole: NDArray[np.float64] = window.grad[0].numpy().astype(np.float64)
    folded = np.zeros(len(samples))
    np.add.at(folded, np.arange(window_samples) % len(samples), whole)
    return folded


def gradient_effects(net: Any, canvas: Canvas, window_samples: int) -> Floats:
    """What each cell adds to the score, to first order, ``(bands, columns)``: the gradient times the cell's part."""
    slope, shape = gradient(net, canvas.samples, window_samples), canvas.grid.shape
    effects = [float(slope @ canvas.part(only(cell, shape))) for cell in np.ndindex(shape)]
    return np.array(effects).reshape(shape)
