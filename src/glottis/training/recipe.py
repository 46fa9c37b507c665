"""The recipe: a TOML file with one table a stage, read into frozen dataclasses; unknown keys are refused."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from glottis.errors import RecipeError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Data:
    """Where the clips are and how they are drawn.

    Attributes:
        train: Tables of trials to train on; each clip lies beside its table. Rows of the split ``train`` are taken.
        dev: The table on whose split ``dev`` the checkpoint is chosen.
        cache: Where the decoded clips are kept.
        crop_s: Seconds of a training crop.
        pair_share: The share of a batch made of pairs, one of each label from one source.
        bonafide_share: The share of a batch that is bona fide.
        source_exponent: A source is drawn with its number of clips to this power: 0, all sources alike, to 1, all
            clips alike.
        source_weights: By what that is multiplied, by the name of the source; 1 where it is not named.
        workers: Processes that make batches; of a run of several processes, for each.
        embeddings: The folder that `glottis embed` made of these clips, or empty: a head on a frozen speech encoder
            then learns from it; see `glottis.training.on_embeddings`.
    """

    train: tuple[str, ...]
    dev: str
    cache: str = ".cache/clips"
    crop_s: float = 3.0
    pair_share: float = 0.5
    bonafide_share: float = 0.5
    source_exponent: float = 0.5
    source_weights: Mapping[str, Any] = field(default_factory=dict)
    workers: int = 1
    embeddings: str = ""


@dataclass(frozen=True, slots=True)
class Optimiser:
    """How weights move.

    Attributes:
        name: ``adamw`` (Loshchilov and Hutter, 2019) or ``adam``, whose weight decay is part of the gradient.
        betas: Of Adam.
        eps: Of Adam.
        amsgrad: Whether Adam keeps the largest second moment.
        batch: Crops in a batch.
        accumulate: Batches whose gradients are added before a step is taken.
        learning_rate: The highest.
        weight_decay: See `name`.
        clip_norm: The longest gradient.
        ema: Of the moving average of the weights, which is what is looked at and exported; 0 for none.
        swa_from: The share of the steps after which that average is one of all weights since, alike (SWA, Izmailov et
            al., 2018), whose batch statistics are taken anew from training crops; 1 is never.
    """

    name: str = "adamw"
    betas: tuple[float, ...] = (0.9, 0.999)
    eps: float = 1e-8
    amsgrad: bool = False
    batch: int = 32
    accumulate: int = 1
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    clip_norm: float = 5.0
    ema: float = 0.998
    swa_from: float = 1.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long, and at what rate.

    Attributes:
        shape: ``one_cycle`` (Smith, 2018), ``constant``, ``cosine``, ``noam`` or ``halving``; see
            `glottis.training.rates`.
        last: Where ``cosine`` ends, as a share of the rate.
        halve_every: Steps, of ``halving``.
        steps: Batches in all.
        warmup: The share of them in which the rate rises.
        check_every: Steps between two looks at the dev split.
        seed: Of the weights and of every draw.
        threads: Of torch, in each process.
        precision: What the net multiplies in: ``float32``, ``bf16``, ``fp16`` (its gradients scaled), or ``auto``: bf16
            where the hardware multiplies it, else float32. Weights and front-ends are float32 all the same.
        start: The folder of a finished run of the same net from whose weights this one starts, or empty.
    """

    shape: str = "one_cycle"
    last: float = 0.0
    halve_every: int = 1000
    steps: int = 6000
    warmup: float = 0.1
    check_every: int = 500
    seed: int = 1
    threads: int = 2
    precision: str = "auto"
    start: str = ""


@dataclass(frozen=True, slots=True)
class Freeze:
    """What does not learn, or not yet; see `glottis.training.freezing`.

    Attributes:
        patterns: Of names of parameters, in the order in which they thaw.
        first: The share of the steps after which the first one thaws.
        until: The share after which the last one does; 1 is never.
    """

    patterns: tuple[str, ...] = ()
    first: float = 1.0
    until: float = 1.0


@dataclass(frozen=True, slots=True)
class Stop:
    """When to stop before the last step.

    Attributes:
        patience: Looks at dev without a better one; 0 is never.
    """

    patience: int = 0


@dataclass(frozen=True, slots=True)
class Loss:
    """What is minimised; see `glottis.training.losses`.

    Attributes:
        name: A key of `LOSSES`.
        smoothing: How far targets are moved from 0 and 1 (``bce``, ``weighted_ce``).
        weight_spoof: Of the class in ``weighted_ce``.
        weight_bonafide: Likewise.
        scale: Of the cosines in ``am_softmax`` and ``oc_softmax``.
        margin: Of ``am_softmax``.
        margin_bonafide: Of ``oc_softmax``.
        margin_spoof: Of ``oc_softmax``.
        anneal: Of ``a_softmax``: ``run`` lets the margin grow with the steps, ``first`` keeps it as at the first one.
    """

    name: str = "bce"
    smoothing: float = 0.0
    weight_spoof: float = 0.1
    weight_bonafide: float = 0.9
    scale: float = 20.0
    margin: float = 0.9
    margin_bonafide: float = 0.9
    margin_spoof: float = 0.2
    anneal: str = "run"


@dataclass(frozen=True, slots=True)
class Distil:
    """Learning from a greater net beside the labels (Hinton et al., 2015).

    Attributes:
        teacher: The folder of a finished run, or a bundle with its net in it, or empty for none. It may be another kind
            of net, with another last layer; it hears the same augmented crops.
        weight: The share of the loss against the teacher's probabilities; the rest is against the labels.
    """

    teacher: str = ""
    weight: float = 0.6


@dataclass(frozen=True, slots=True)
class SelfDistil:
    """A net that teaches its own earlier blocks: alpha hard + (1 - alpha) soft + beta feature.

    Attributes:
        on: Whether it does.
        alpha: The weight of the loss against the labels.
        beta: The weight of the features' distance.
        temperature: Of the soft loss.
        hard_students: Whether the blocks' classifiers learn from the labels too.
        teacher: ``deepest``; ``next``: each block learns from the one after it; ``progressive``: so too, and they
            begin one after another over the run, the deepest first; ``average``: all blocks and the net itself learn
            from the moving average of its weights (Tarvainen and Valpola, 2017).
        decay: Of that average.
        align: How features are compared: ``projection`` to the teacher's width, ``attention`` (their energy over
            time) or ``similarity`` (which rows of a batch resemble one another).
        dynamic: Whether the three weights are learned.
    """

    on: bool = False
    alpha: float = 0.7
    beta: float = 0.3
    temperature: float = 3.0
    hard_students: bool = False
    teacher: str = "deepest"
    decay: float = 0.99
    align: str = "projection"
    dynamic: bool = False


@dataclass(frozen=True, slots=True)
class Adversarial:
    """Crops that are attacked while the net learns (Goodfellow et al., 2015; Madry et al., 2018).

    Attributes:
        share: Of the crops of a batch; 0 is none.
        snr_db: How far under the crop's power the attack lies.
        steps: 1 is FGSM, more are PGD.
    """

    share: float = 0.0
    snr_db: float = 50.0
    steps: int = 1


@dataclass(frozen=True, slots=True)
class Export:
    """What stands in the bundle's manifest.

    Attributes:
        name: The bundle's name.
        version: Its version.
        licence: Its licence.
        window_s: Seconds of a window.
        hop_s: Seconds between windows.
        min_speech_s: Seconds of speech without which a recording is not judged.
        cost_spoof_accepted: Of calling a spoof bona fide.
        cost_bonafide_rejected: Of calling a person a spoof.
        cost_inconclusive: Of giving no answer.
        prior_spoof: The prior that the user did not give.
        no_speech: A folder of sounds in which nobody speaks (music, noise), below which each folder is a source; on
            them the ``speech`` output is fitted. Empty, and `speech_of` too: the bundle has none.
        speech_of: A bundle whose ``speech`` output the new one takes over, or empty.
        card: A text that is put into the model card, or empty.
    """

    name: str = "glottis"
    version: str = "0.1.0"
    licence: str = "Apache-2.0"
    window_s: float = 4.0
    hop_s: float = 4.0
    min_speech_s: float = 0.5
    cost_spoof_accepted: float = 1.0
    cost_bonafide_rejected: float = 1.0
    cost_inconclusive: float = 0.2
    prior_spoof: float = 0.5
    no_speech: str = ""
    speech_of: str = ""
    card: str = ""


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a training run."""

    data: Data
    net: Mapping[str, Any]
    augment: Mapping[str, Any] = field(default_factory=dict)
    loss: Loss = field(default_factory=Loss)
    distil: Distil = field(default_factory=Distil)
    self_distil: SelfDistil = field(default_factory=SelfDistil)
    adversarial: Adversarial = field(default_factory=Adversarial)
    optimiser: Optimiser = field(default_factory=Optimiser)
    schedule: Schedule = field(default_factory=Schedule)
    freeze: Freeze = field(default_factory=Freeze)
    stop: Stop = field(default_factory=Stop)
    export: Export = field(default_factory=Export)
    sample_rate_hz: int = 16000

    @property
    def net_args(self) -> dict[str, Any]:
        """The settings of the net; one for another rate than 16 kHz is told it."""
        rate = {} if self.sample_rate_hz == 16000 else {"sample_rate_hz": self.sample_rate_hz}  # noqa: PLR2004
        return rate | {name: value for name, value in self.net.items() if name != "name"}

    def to_dict(self) -> dict[str, Any]:
        """The resolved recipe, as it is saved beside the result."""
        return asdict(self)


def read_recipe(path: Path, settings: Sequence[str] = ()) -> Recipe:
    """Read a recipe and lay ``table.key=value`` settings over it.

    Args:
        path: The TOML file.
        settings: Such as ``schedule.steps=100`` or ``net.attention="eca"``; values are TOML, or else text.

    Raises:
        RecipeError: The file is no TOML, a key is unknown, or a value is of the wrong kind.
    """
    try:
        table = tomllib.loads(path.read_text())
    except OSError as error:
        raise RecipeError(f"{path}: {error.strerror}", hint="give the path of a recipe") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is no TOML: {error}", hint="see recipes/ for examples") from error
    for setting in settings:
        lay_over(table, *parse_setting(setting))
    return make_recipe(table)


LEAST: dict[str, float] = {
    "data.crop_s": 0.01,
    "data.workers": 0,
    "optimiser.batch": 2,
    "optimiser.accumulate": 1,
    "schedule.steps": 1,
    "schedule.check_every": 1,
    "schedule.halve_every": 1,
    "schedule.threads": 1,
    "export.window_s": 0.01,
    "export.hop_s": 0.01,
    "adversarial.steps": 1,
}
"""The least that a number may be."""


def make_recipe(table: Mapping[str, Any]) -> Recipe:
    """A recipe from a nested mapping; see `read_recipe`."""
    recipe = _make(Recipe, table, "")
    for name, least in LEAST.items():
        stage, _, key = name.partition(".")
        if not getattr(getattr(recipe, stage), key) >= least:
            raise RecipeError(f"{name} is {getattr(getattr(recipe, stage), key)}", hint=f"at least {least:g}")
    if len(recipe.optimiser.betas) != 2:  # noqa: PLR2004 (Adam has two)
        raise RecipeError(f"optimiser.betas has {len(recipe.optimiser.betas)} numbers", hint="such as [0.9, 0.999]")
    if "name" not in recipe.net:
        raise RecipeError("net.name is missing", hint='say which net, such as name = "spectral_resnet"')
    if recipe.schedule.check_every % recipe.optimiser.accumulate:
        raise RecipeError(
            f"schedule.check_every {recipe.schedule.check_every} is no multiple of optimiser.accumulate "
            f"{recipe.optimiser.accumulate}",
            hint="a run is resumed from a check, where no gradient may be under way",
        )
    if recipe.export.no_speech and recipe.export.speech_of:
        raise RecipeError("export.no_speech fits a speech output, export.speech_of takes one", hint="leave one empty")
    if not 0 <= recipe.optimiser.swa_from <= 1:
        raise RecipeError(
            f"optimiser.swa_from is {recipe.optimiser.swa_from}", hint="a share of the steps, 0 to 1 (never)"
        )
    return recipe


def parse_setting(setting: str) -> tuple[str, Any]:
    """``key=value`` as the key and the value, which is TOML, or else text.

    Raises:
        RecipeError: It is no ``key=value``.
    """
    key, equals, text = setting.partition("=")
    if not equals or not key:
        raise RecipeError(f"setting {setting!r} is not key=value", hint="such as schedule.steps=100")
    try:
        return key, tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return key, text


def lay_over(table: dict[str, Any], key: str, value: Any) -> None:
    """Put a value into nested tables; a dot in its key leads into one.

    Raises:
        RecipeError: What the dot leads into is no table.
    """
    *path, last = key.split(".")
    for name in path:
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            raise RecipeError(f"setting {key!r}: {name} is no table", hint="see recipes/ for the tables")
    table[last] = value


def _make(kind: type[T], table: Mapping[str, Any], where: str) -> T:
    hints = get_type_hints(kind)
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]  # every kind here is a dataclass
    for name in table:
        if name not in known:
            raise RecipeError(f"unknown key {where}{name}", hint=f"known here: {', '.join(sorted(known))}")
    values = {name: _value(hints[name], value, f"{where}{name}") for name, value in table.items()}
    try:
        return kind(**values)
    except TypeError as error:
        raise RecipeError(f"{where or 'the recipe'}: {error}", hint="give the missing key") from error


def _value(hint: Any, value: Any, where: str) -> Any:
    origin = get_origin(hint) or hint
    if isinstance(hint, type) and hasattr(hint, "__dataclass_fields__"):
        if not isinstance(value, Mapping):
            raise RecipeError(f"{where} must be a table, got {value!r}")
        return _make(hint, value, f"{where}.")
    if origin is tuple:
        if not isinstance(value, list):
            raise RecipeError(f"{where} must be a list, got {value!r}")
        return tuple(_value(get_args(hint)[0], item, where) for item in value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    wanted = dict if origin is Mapping else origin
    if not isinstance(wanted, UnionType) and (not isinstance(value, wanted) or (wanted is int and value is True)):
        raise RecipeError(f"{where} must be {wanted.__name__}, got {value!r}")
    return value
