"""Gaussian mixtures: the fit against scikit-learn's, and the net against the plain formula."""

from __future__ import annotations

import numpy as np
import onnxruntime
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

from glottis.nets.gmm import GMM
from glottis.training.em import Sums
from glottis.training.exporter import to_onnx

COMPONENTS = 3


@pytest.fixture
def frames():
    """Of both classes, 60 features: three lumps each, none where the other class has one."""
    rng = np.random.default_rng(0)
    centres = rng.normal(0, 2, (2, COMPONENTS, 60))
    return [
        (one[rng.integers(COMPONENTS, size=900)] + rng.normal(0, 0.5, (900, 60))).astype(np.float32) for one in centres
    ]


def started(frames):
    net = GMM(components=COMPONENTS)
    with torch.no_grad():
        for label, some in enumerate(frames):
            net.means[label] = torch.from_numpy(some[:COMPONENTS])
    return net.eval()


def fitted_by_sklearn(some, iterations):
    found = GaussianMixture(
        COMPONENTS,
        covariance_type="diag",
        tol=0,
        reg_covar=0,
        max_iter=iterations,
        means_init=some[:COMPONENTS],
        weights_init=np.full(COMPONENTS, 1 / COMPONENTS),
        precisions_init=np.ones((COMPONENTS, 60)),
    )
    with pytest.warns(ConvergenceWarning):
        return found.fit(some.astype(np.float64))


@pytest.mark.parametrize("iterations", [1, 2, 6])
def test_the_fit_is_that_of_scikit_learn_however_the_frames_are_cut(frames, iterations):
    net = started(frames)
    for _ in range(iterations):
        sums = Sums(net)
        for label, some in enumerate(frames):
            for piece in np.array_split(some, (100, 101, 640)):
                sums.add(net, torch.from_numpy(piece), label)
        sums.maximise(net)
    for label, some in enumerate(frames):
        expected = fitted_by_sklearn(some, iterations)
        np.testing.assert_allclose(net.means[label].detach(), expected.means_, atol=2e-3)
        np.testing.assert_allclose(net.log_variances[label].exp().detach(), expected.covariances_, rtol=2e-3)
        np.testing.assert_allclose(net.log_weights[label].softmax(0).detach(), expected.weights_, atol=1e-4)
        with torch.inference_mode():
            found = net.joint(torch.from_numpy(some), label).logsumexp(dim=1)
        np.testing.assert_allclose(found, expected.score_samples(some), atol=5e-3)


def test_the_score_is_the_mean_log_likelihood_ratio(frames):
    net = started(frames)
    mixtures = [fitted_by_sklearn(some, 3) for some in frames]
    with torch.no_grad():
        for label, one in enumerate(mixtures):
            net.means[label] = torch.from_numpy(one.means_)
            net.log_variances[label] = torch.from_numpy(one.covariances_).log()
            net.log_weights[label] = torch.from_numpy(one.weights_).log()
    net.shift.fill_(-4.0)
    net.scale.fill_(2.0)
    samples = 0.1 * torch.randn(2, 16_000)
    score, embedding = net(samples)
    rows = (net.frontend(samples)[:, 0].transpose(1, 2).numpy() + 4) / 2
    expected = [[one.score(row) for one in mixtures] for row in rows.astype(np.float64)]
    np.testing.assert_allclose(embedding.detach(), expected, rtol=1e-5)
    np.testing.assert_allclose(score.detach(), np.diff(expected)[:, 0], rtol=1e-4)


def test_a_component_to_which_nothing_falls_stays_and_no_variance_vanishes(frames):
    net = started(frames)
    with torch.no_grad():
        net.means[:, 0] = 1e4
    sums = Sums(net)
    for label, some in enumerate(frames):
        sums.add(net, torch.from_numpy(some[5:6]).repeat(9, 1), label)
    sums.maximise(net)
    assert (net.means[:, 0] == 1e4).all()
    assert all(p.isfinite().all() for p in net.parameters())
    assert net.log_variances.exp().min().item() == pytest.approx(1e-3)


def test_far_frames_and_narrow_components_score_in_the_runtime_as_in_torch(frames):
    net = started(frames)
    with torch.no_grad():
        net.log_variances.fill_(np.log(1e-3))
        net.means.mul_(5)
    session = onnxruntime.InferenceSession(to_onnx(net, 16_000), providers=["CPUExecutionProvider"])
    for samples in (torch.zeros(1, 16_000), torch.randn(3, 16_000)):
        with torch.inference_mode():
            expected = net(samples)[0].numpy()
        np.testing.assert_allclose(session.run(["score"], {"samples": samples.numpy()})[0], expected, rtol=1e-4)
