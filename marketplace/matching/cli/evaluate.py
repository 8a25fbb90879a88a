"""`flask match evaluate`: how well the shipped configuration orders a judged set, without any stored row."""

from __future__ import annotations

import json
from pathlib import Path

import click

from marketplace.matching.cli.group import match_cli

_SHOWN = (("ndcg10", "nDCG@10", 4), ("recall20", "Recall@20", 4), ("mrr10", "MRR@10", 4))


@match_cli.command("evaluate")
@click.option(
    "--set",
    "folder",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="folder with queries.jsonl, docs.jsonl, qrels.tsv and, if any, meta.json",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def evaluate_command(folder: Path, form: str) -> None:
    """Order a judged set's documents by their texts and say how good the order is.

    The shipped weights and dictionary; nothing is tuned, nothing is read from or written to the database.
    Queries without anything to be found are left out.
    """
    from marketplace.matching.engine.evaluation import BadSetError, evaluate, read_set

    try:
        measures = evaluate(read_set(folder))
    except BadSetError as error:
        raise click.ClickException(str(error)) from error
    means = measures.to_dict()
    if form == "json":
        click.echo(json.dumps(means))
        return
    for name, label, digits in _SHOWN:
        click.echo(f"{label:<12}{means[name]:.{digits}f}")
    click.echo(f"{'ms/query':<12}{means['ms_per_query']:.1f}")
    click.echo(f"{'queries':<12}{len(measures.ndcg10)}")
    if measures.skipped:
        click.echo(f"{'skipped':<12}{measures.skipped}（没有可找的文档 / nothing to be found）")
