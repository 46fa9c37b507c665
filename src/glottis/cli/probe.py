"""`glottis probe`: scores of some trials by a logistic regression on the embeddings of others."""

from __future__ import annotations

from pathlib import Path

import click

from glottis.cli.exits import DONE, say

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("embeddings", type=_FILE)
@click.option("--corpus", metavar="FILE", type=_FILE, required=True, help="The table of trials that was embedded.")
@click.option("--fit", multiple=True, metavar="COLUMN=VALUE", required=True, help="Learn from these: split=train.")
@click.option("--where", multiple=True, metavar="COLUMN=VALUE", required=True, help="Score these: split=dev.")
@click.option("--layer", metavar="N", type=click.IntRange(0), help="Of those that were kept, by default the last.")
@click.option("--output", metavar="FILE", type=_FILE, required=True, help="The score file.")
def probe(  # noqa: PLR0917 (click gives them by name)
    embeddings: Path, corpus: Path, fit: tuple[str, ...], where: tuple[str, ...], layer: int | None, output: Path
) -> int:
    """Fit a linear probe to EMBEDDINGS, a folder that `glottis embed` made, and score other trials with it.

    Trials of a split that judges (eval, test, hidden) are never learned from. The score file, file_name,score, is one
    for `glottis evaluate` and, beside those of other systems, for `glottis calibrate`, which fuses them.
    """
    from glottis.cli.evaluate import chosen, put_scores
    from glottis.cli.output import Output
    from glottis.corpora import open_embeddings
    from glottis.evaluation import read_protocol
    from glottis.evaluation.probe import probe as run
    from glottis.evaluation.probe import shared_groups

    protocol = read_protocol(corpus)
    fitted, scored = chosen(protocol, fit), chosen(protocol, where)
    shared = shared_groups(fitted, scored)
    if shared:
        say(f"{len(shared)} sources are both learned from and scored, first {shared[0]}: the figures flatter")
    put_scores(output, run(open_embeddings(embeddings), corpus.parent, fitted, scored, layer))
    Output().write(f"{output}\n")
    return DONE
