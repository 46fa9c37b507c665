"""A net that teaches its own blocks: what is learned beside it, what each option does, and that nothing is left."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
import torch

from glottis.errors import RecipeError
from glottis.nets import NETS, build_net
from glottis.training.exporter import to_onnx
from glottis.training.losses import soft_loss
from glottis.training.objective import Objective
from glottis.training.recipe import Recipe, make_recipe
from glottis.training.self_distil import TEACHERS

SMALL = {"name": "se_resnet", "depth": 9, "widths": [4, 8, 8, 12]}
CPU = torch.device("cpu")


STEPS = 90


def recipe(net: dict = SMALL, loss: str = "a_softmax", **settings: object) -> Recipe:
    table = {"data": {"train": ["a.csv"], "dev": "b.csv"}, "net": net, "loss": {"name": loss}}
    table["schedule"] = {"steps": STEPS, "check_every": STEPS}
    return make_recipe({**table, "self_distil": {"on": True} | settings})


def objective(of: Recipe) -> tuple[torch.nn.Module, Objective]:
    torch.manual_seed(0)
    net = build_net(of.net["name"], {key: value for key, value in of.net.items() if key != "name"})
    return net, Objective(net, of, CPU)


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return 0.1 * torch.randn(4, 16_000, generator=generator), torch.tensor([0.0, 1.0, 0.0, 1.0])


def loss_of(of: Recipe) -> torch.Tensor:
    net, found = objective(of)
    net.eval()
    return found(*batch(), 1)


@pytest.mark.parametrize("align", ["projection", "attention", "similarity"])
@pytest.mark.parametrize("teacher", TEACHERS)
@pytest.mark.parametrize("dynamic", [False, True])
def test_every_option_gives_a_loss_with_gradients_for_all_that_is_learned(align, teacher, dynamic):
    _, found = objective(recipe(align=align, teacher=teacher, dynamic=dynamic, hard_students=True))
    loss = found.train()(*batch(), STEPS)
    assert loss.isfinite()
    loss.backward()
    learned = [p for p in found.parameters() if p.requires_grad]
    assert all(p.grad is not None and p.grad.isfinite().all() for p in learned)


@pytest.mark.parametrize("teacher", ["deepest", "next", "progressive"])
def test_the_deepest_gets_no_gradient_from_its_students(teacher):
    of = recipe(alpha=0.0, beta=0.3, align="similarity", teacher=teacher)
    net, found = objective(of)
    net.train()
    found(*batch(), 1).backward()
    assert net.classifier.weight.grad is None or not net.classifier.weight.grad.any()
    assert not any(p.grad is not None and p.grad.any() for p in net.layer4.parameters())
    assert any(p.grad.any() for p in net.layer3.parameters())


def test_the_parts_add_up_as_the_weights_say():
    hard, soft, feature = (loss_of(recipe(alpha=a, beta=b)).item() for a, b in ((1, 0), (0, 0), (0, 1)))
    mixed = loss_of(recipe(alpha=0.7, beta=0.3)).item()
    assert mixed == pytest.approx(0.7 * hard + 0.3 * soft + 0.3 * (feature - soft), rel=1e-5)


def test_a_block_learns_the_features_of_its_own_teacher():
    net, found = objective(recipe(alpha=1.0, beta=1.0, teacher="next"))
    samples, bonafide = batch()
    _, _, taps = net.eval().embed_and_tap(samples)
    projected = zip(found.students.projections, taps[:-1], taps[1:], strict=True)
    feature = sum(((project(tap) - after) ** 2).mean().item() for project, tap, after in projected)
    hard = Objective(net, recipe(on=False), CPU)(samples, bonafide, 1).item()
    assert found(samples, bonafide, 1).item() == pytest.approx(hard + feature, rel=1e-5)


def learning(step: int) -> list[bool]:
    """Which classifiers of blocks learn at a step of a progressive run."""
    _, found = objective(recipe(teacher="progressive"))
    found.eval()(*batch(), step).backward()
    return [one.weight.grad is not None and bool(one.weight.grad.any()) for one in found.students.classifiers]


@pytest.mark.parametrize(
    ("step", "learn"),
    [
        (1, [False, False, True]),
        (30, [False, False, True]),
        (31, [False, True, True]),
        (61, [True, True, True]),
        (STEPS, [True, True, True]),
    ],
)
def test_progressive_blocks_begin_one_after_another_the_deepest_first(step, learn):
    assert learning(step) == learn


def test_progressive_ends_as_next():
    assert loss_of(recipe(teacher="progressive")).item() != loss_of(recipe(teacher="next")).item()
    losses = []
    for teacher in ("progressive", "next"):
        _, found = objective(recipe(teacher=teacher))
        losses.append(found.eval()(*batch(), STEPS).item())
    assert losses[0] == losses[1]


def test_the_average_follows_the_net_and_learns_from_nobody():
    net, found = objective(recipe(teacher="average", decay=0.9))
    before = {name: value.clone() for name, value in net.state_dict().items()}
    found.train()(*batch(), 1)
    with torch.no_grad():
        net.classifier.weight += 1
    found(*batch(), 2).backward()
    average = found.students.average.module
    torch.testing.assert_close(average.classifier.weight, before["classifier.weight"] + 0.1)
    assert torch.equal(average.bn1.running_mean, net.bn1.running_mean)
    assert all(parameter.grad is None for parameter in average.parameters())
    assert not average.training


def test_the_net_itself_learns_from_the_average():
    net, found = objective(recipe(teacher="average", alpha=0.0, beta=0.0))
    samples, bonafide = batch()
    found.train()(samples, bonafide, 1)
    with torch.no_grad():
        net.classifier.weight.neg_()
    found(samples, bonafide, 2).backward()
    assert net.classifier.weight.grad.any()


def test_temperature_is_that_of_the_soft_loss():
    net, found = objective(recipe(alpha=0.0, beta=0.0, temperature=4.0))
    samples, bonafide = batch()
    _, _, taps = net.eval().embed_and_tap(samples)
    outputs = net.outputs(net.embed(samples))
    students = zip(found.students.classifiers, taps[:-1], strict=True)
    expected = sum(soft_loss(classify(tap), outputs, 4.0).item() for classify, tap in students)
    assert found(samples, bonafide, 1).item() == pytest.approx(expected, rel=1e-5)


def exported(of: Recipe) -> tuple[list[object], int, set[str]]:
    """The graph, its bytes, and the names of the weights of a net that was trained for a step."""
    net, found = objective(of)
    optimiser = torch.optim.SGD([p for p in found.parameters() if p.requires_grad], 1e-3)
    found.train()(*batch(), STEPS).backward()
    optimiser.step()
    model = to_onnx(net, 16_000)
    graph = onnx.load_from_string(model).graph
    shapes = [list(one.dims) for one in graph.initializer]
    return [(node.op_type, list(node.input), shapes) for node in graph.node], len(model), set(net.state_dict())


@pytest.mark.parametrize(
    "settings",
    [*({"teacher": one} for one in TEACHERS), {"align": "attention", "dynamic": True}, {"align": "similarity"}],
    ids=lambda settings: ", ".join(map(str, settings.values())),
)
def test_the_exported_net_is_as_large_as_one_that_never_taught_itself(settings):
    assert exported(recipe(**settings)) == exported(recipe(on=False))


@pytest.mark.parametrize("name", sorted(set(NETS) - {"rawgat_st", "hybrid", "gmm"}))
def test_any_backbone_of_blocks_will_do(name):
    heads = {"se_resnet": "a_softmax", "cepstral_attention": "weighted_ce", "conformer": "weighted_ce"}
    of = recipe({"name": name, **({"hidden": 16} if name == "rawnet2" else {})}, loss=heads.get(name, "bce"))
    net, found = objective(of)
    net.eval()
    assert found(*batch(), 1).isfinite()


def test_what_does_not_fit_is_named():
    with pytest.raises(RecipeError, match=r"self_distil\.teacher 'first'"):
        objective(recipe(teacher="first"))
    with pytest.raises(RecipeError, match="Hybrid has no blocks"):
        objective(recipe({"name": "hybrid"}, loss="weighted_ce"))
    with pytest.raises(RecipeError, match="a_softmax does not fit a net that ends in logit"):
        objective(recipe({"name": "specrnet"}))


def test_a_run_goes_on_with_what_is_learned_beside(tmp_path: Path):
    _, found = objective(recipe())
    _, other = objective(recipe())
    with torch.no_grad():
        next(found.parameters()).fill_(3.0)
    torch.save(found.state_dict(), tmp_path / "state.pt")
    other.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True))
    assert (next(other.parameters()) == 3.0).all()
