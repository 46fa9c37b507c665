"""The command line: one file per command; each is imported only when it is called."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import click

from glottis import __version__
from glottis.cli.exits import INTERRUPTED, cause_of, code_of, flush_or_drop, show_error

COMMANDS = {
    "scan": ("glottis.cli.scan:scan", "Tell for each recording whether a person or a machine speaks."),
    "models": ("glottis.cli.models:models", "List the bundles, show one, or fetch an encoder."),
    "train": ("glottis.cli.train:train", "Train a bundle by a recipe."),
    "sweep": ("glottis.cli.sweep:sweep", "Train with many settings of a recipe, and say which were best."),
    "embed": ("glottis.cli.embed:embed", "Keep what a pre-trained encoder makes of each clip."),
    "probe": ("glottis.cli.probe:probe", "Score trials by a linear probe of such embeddings."),
    "import": ("glottis.cli.import_cmd:import_", "Make a bundle of a published checkpoint."),
    "export": ("glottis.cli.export:export", "Write a net for another runtime: ONNX, TorchScript."),
    "compress": ("glottis.cli.compress:compress", "Make a bundle smaller or faster, and say what it costs."),
    "evaluate": ("glottis.cli.evaluate:evaluate", "Measure score files on a protocol."),
    "explain": ("glottis.cli.explain:explain", "Say on which stretches and bands a verdict hangs."),
    "calibrate": ("glottis.cli.calibrate:calibrate", "Fit llrs and thresholds on a development split."),
    "robustness": ("glottis.cli.robustness:robustness", "Measure a bundle under noise, codecs, rooms and attacks."),
    "config": ("glottis.cli.config_cmd:config", "Show every setting and where it comes from."),
    "doctor": ("glottis.cli.doctor:doctor", "Say what is installed, and what is dangerous."),
}
"""Each command with its home and its first line of help, so that no help needs an import."""


class Program(click.Group):
    """A group whose commands are imported when called, and whose errors all become exit codes."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """The names, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table of commands, without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, **extra: Any) -> NoReturn:  # type: ignore[override]
        """Run, and leave with an exit code; no traceback ever reaches a terminal."""
        extra["standalone_mode"] = False
        try:
            code = super().main(args, prog_name, **extra)
        except SystemExit:
            sys.exit(0)  # click leaves so when nobody reads its help
        except BaseException as raised:  # noqa: BLE001 (the one place where errors become exit codes)
            error = cause_of(raised)
            show_error(error)
            sys.exit(code_of(error))
        sys.exit(code if isinstance(code, int) else 0)


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="glottis")
def program() -> None:
    """Was this voice spoken by a person, or made by a machine?"""


def main() -> NoReturn:
    """What the command `glottis` runs."""
    code: object = 1
    try:
        program.main(prog_name="glottis")
    except SystemExit as leaving:
        code = leaving.code or 0
    except KeyboardInterrupt:
        code = INTERRUPTED  # once more, while the first was dealt with
    read_on = flush_or_drop()
    if code == INTERRUPTED or not read_on:
        os._exit(code if isinstance(code, int) else 1)  # do not wait for threads whose results nobody wants
    sys.exit(code if isinstance(code, int) else 1)
