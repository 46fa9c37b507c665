"""`glottis export`: the net of a run or a bundle as a file for another runtime."""

from __future__ import annotations

from pathlib import Path

import click

from glottis.cli.exits import DONE

FORMATS = ("onnx", "torchscript", "torch_export", "bundle")


@click.command()
@click.argument("model")
@click.option("--format", "form", type=click.Choice(FORMATS), required=True)
@click.option(
    "--output", metavar="PATH", type=click.Path(path_type=Path), required=True, help="The file, or the folder."
)
@click.option("--opset", metavar="N", type=click.IntRange(11, 20), default=17, show_default=True, help="Of onnx.")
def export(model: str, form: str, output: Path, opset: int) -> int:
    """Write the net of a run or a bundle in another form, for a batch of any size, and prove that it scores the same.

    MODEL is the folder of a run that has chosen its weights, or the path or the name of a bundle with its net in it;
    default is the shipped one. The file takes samples (batch, window) and gives score and embedding: no speech output,
    no calibration. Torch calls TorchScript deprecated; torch_export (.pt2) is what follows it. bundle makes of a run
    that never came to its end an uncalibrated bundle. Needs the extra: pip install 'glottis[train]'.
    """
    from glottis.cli.output import Output
    from glottis.cli.train import need_training

    need_training()
    from glottis.training.formats import export as write

    Output().write(f"{write(model, form, output, opset=opset)}\n")
    return DONE
