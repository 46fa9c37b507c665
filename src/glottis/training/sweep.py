"""Many runs of one recipe with other settings, chosen one after another: a folder of ordinary runs, and a study.

Optuna chooses (a tree-structured Parzen estimator, Bergstra et al., 2011) by the figure on dev that chooses
checkpoints, and stops runs that are poorer than the median of the earlier ones at the same step. The study is a SQLite
file in the folder, so that a sweep goes on after a kill, and so that several processes of a machine can share one.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from glottis._extras import need
from glottis.errors import ConfigError, GlottisError, RecipeError
from glottis.training import checkpoint, train
from glottis.training.recipe import read_recipe
from glottis.training.space import Choices, Space, combinations
from glottis.training.validate import Check

if TYPE_CHECKING:
    import optuna

TURN_S = 600.0
"""How long a process waits until the others have chosen, which takes each a moment."""

Progress = Callable[[dict[str, Any]], None]


class HeldError(Exception):
    """Another process holds the lock."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a sweep.

    Attributes:
        folder: Where it lies.
        settings: What it has of the space, by the recipe's key.
        state: ``complete``, ``pruned``, ``fail`` or ``running``.
        figure: The best on dev, lower is better; None before the first check.
        error: Why it failed, or empty.
    """

    folder: Path
    settings: Mapping[str, Any]
    state: str = "running"
    figure: float | None = None
    error: str = ""

    @property
    def overrides(self) -> list[str]:
        """``key=value`` for each setting; what JSON says of numbers, texts and lists, TOML says too."""
        return [f"{key}={json.dumps(value)}" for key, value in self.settings.items()]

    def to_dict(self) -> dict[str, Any]:
        """The run, ready for JSON."""
        return {**asdict(self), "folder": str(self.folder)}


def sweep(
    recipe_path: Path,
    settings: Sequence[str],
    space: Space,
    output: Path,
    *,
    runs: int,
    begin: Callable[[Run], None] = lambda _run: None,
    progress: Progress = lambda _line: None,
) -> list[Run]:
    """Train until the folder holds so many runs; called again, it goes on, with a run that was cut first.

    Args:
        recipe_path: The TOML file.
        settings: ``table.key=value``, laid over the recipe in every run.
        space: What is tried.
        output: The sweep's folder.
        runs: How many there shall be. Where all values are listed, and there are no more combinations than that, each
            is tried once.
        begin: Called before each run.
        progress: Called after each step of a run.

    Returns:
        All runs, the best first.

    Raises:
        RecipeError: The recipe does not fit, or `output` holds another sweep.
        ConfigError: It was started by ``torchrun``, or no turn can be had in `output`.
        MissingExtra: Optuna is not installed.
    """
    need("optuna", extra="sweep")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError(
            "a sweep has one process for each run",
            hint="start the same command once for each GPU, each with its CUDA_VISIBLE_DEVICES; they share the runs",
        )
    recipe = read_recipe(recipe_path, settings)
    output.mkdir(parents=True, exist_ok=True)
    study = _open_study(output, recipe.to_dict(), space, runs)
    if 0 < len(combinations(space)) < runs:
        runs = len(combinations(space))
    while True:
        with closing(_turn(output)):
            _return_what_was_cut(study, output)
            if sum(_counts(one) for one in study.trials) >= runs:
                break
            trial = _ask(study, recipe.schedule.seed)
            run = Run(_folder(output, trial), {key: one.draw(trial, key) for key, one in space.items()})
            held = _hold(run.folder / "held.db")
        with closing(held):
            begin(run)
            settled = [*settings, *run.overrides]
            _train(study, trial, recipe_path=recipe_path, settings=settled, folder=run.folder, progress=progress)
    return _runs(study, space, output)


def _open_study(output: Path, recipe: Mapping[str, Any], space: Space, runs: int) -> optuna.Study:
    """The folder's study, new or not; where all combinations shall be tried, they stand in line."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    of = json.loads(json.dumps({"recipe": recipe, "space": {key: one.to_json() for key, one in space.items()}}))
    with closing(_turn(output)):
        study = optuna.create_study(
            study_name="sweep",
            storage=f"sqlite:///{(output / 'study.db').resolve()}",
            direction="minimize",
            pruner=optuna.pruners.MedianPruner(),
            load_if_exists=True,
        )
        if study.user_attrs.get("of", of) != of:
            raise RecipeError(f"{output} holds a sweep of another recipe or space", hint="choose another output folder")
        study.set_user_attr("of", of)
        every = combinations(space)
        for values in every if len(every) <= runs else ():
            study.enqueue_trial({key: Choices.stored(value) for key, value in values.items()}, skip_if_exists=True)
    return study


def _turn(output: Path) -> sqlite3.Connection:
    """Hold the lock under which a process chooses; see `_hold`."""
    try:
        return _hold(output / "turn.db", TURN_S)
    except HeldError as error:
        raise ConfigError(
            f"{output}: another process has been choosing for {TURN_S:g} s",
            hint="end the process of this sweep that hangs; the same command goes on",
        ) from error


def _hold(file: Path, wait_s: float = 0.0) -> sqlite3.Connection:
    """Hold a lock until it is closed, or the process ends, however it does; SQLite has one for every system.

    Raises:
        HeldError: Another process holds it.
        ConfigError: It is no lock, or its place cannot be written.
    """
    file.parent.mkdir(exist_ok=True)
    with ExitStack() as undo:
        try:
            lock = undo.enter_context(closing(sqlite3.connect(file, timeout=wait_s, isolation_level=None)))
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
                raise HeldError(file) from error
            raise ConfigError(f"{file}: {error}", hint="choose another output folder, or remove this file") from error
        undo.pop_all()
    return lock


def _return_what_was_cut(study: optuna.Study, output: Path) -> None:
    """Runs that are under way and held by nobody stand in line again, each with its folder."""
    from optuna.trial import TrialState

    for one in study.get_trials(states=(TrialState.RUNNING,)):
        folder = _folder(output, one)
        try:
            _hold(folder / "held.db").close()
        except HeldError:
            continue
        study.tell(one.number, state=TrialState.FAIL)
        study.enqueue_trial(one.system_attrs.get("fixed_params", {}) | one.params, user_attrs={"folder": folder.name})


def _ask(study: optuna.Study, seed: int) -> optuna.Trial:
    """The next trial; what is drawn is a function of the seed and of the trials before it."""
    import optuna

    study.sampler = optuna.samplers.TPESampler(seed=seed + len(study.trials))
    return study.ask()


def _folder(output: Path, trial: optuna.Trial | optuna.trial.FrozenTrial) -> Path:
    name: str = trial.user_attrs.get("folder", f"{trial.number:03d}")
    return output / name


def _counts(trial: optuna.trial.FrozenTrial) -> bool:
    """Whether it is a run: not one that stands in line, nor what was cut and goes on as another."""
    return trial.state.name in {"COMPLETE", "PRUNED", "RUNNING"} or "error" in trial.user_attrs


def _train(
    study: optuna.Study,
    trial: optuna.Trial,
    *,
    recipe_path: Path,
    settings: Sequence[str],
    folder: Path,
    progress: Progress,
) -> None:
    """Train, and tell the study how it went. What Glottis refuses is a result; all else is not."""
    import optuna

    def tell(line: dict[str, Any]) -> None:
        progress(line)
        if "dev_pooled_eer" in line and line["step"] < line["of"]:
            trial.report(Check(line["dev_pooled_eer"], line["dev_within_eer"]).figure, line["step"])
            if trial.should_prune():
                raise optuna.TrialPruned

    try:
        train(recipe_path, settings, folder, tell)
    except optuna.TrialPruned:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    except GlottisError as error:
        trial.set_user_attr("error", error.message)
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
    else:
        chosen = checkpoint.load(folder / checkpoint.CHOSEN) or {}
        study.tell(trial, chosen["figure"])


def _runs(study: optuna.Study, space: Space, output: Path) -> list[Run]:
    """The runs of a study: those that came to their end, the best first, then the others."""
    runs = []
    for one in filter(_counts, study.trials):
        complete = one.state.name == "COMPLETE"  # Optuna's value of a pruned one is its last
        figure = one.value if complete else min(one.intermediate_values.values(), default=None)
        values = {key: space[key].read(value) for key, value in one.params.items()}
        runs.append(Run(_folder(output, one), values, one.state.name.lower(), figure, one.user_attrs.get("error", "")))
    return sorted(runs, key=lambda run: (run.state != "complete", run.figure is None, run.figure or 0.0))
