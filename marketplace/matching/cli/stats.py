"""`flask match stats`: what is indexed, where it lies and how much room it takes."""

import json
from typing import Any

import click

from marketplace.matching.cli.group import match_cli


@match_cli.command("stats")
@click.option("--verify", is_flag=True, help="Read every byte of the files and compare checksums.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def stats(verify: bool, form: str) -> None:
    """Epoch, segments, deltas, memory and disk; with --verify ends with 1 if a file is damaged."""
    from marketplace.matching import inventory

    found = inventory.take(verify=verify)
    if form == "json":
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        _print(found)
    if found["damaged"]:
        raise SystemExit(1)


def _print(found: dict[str, Any]) -> None:
    epoch = found["epoch"]
    if epoch is None:
        click.echo("还没有语料统计：先运行 flask match rank --all")
        return
    click.echo(
        f"语料快照 {epoch['id']}　建立 {epoch['built_at']}　能力 {epoch['documents']}　"
        f"变更号 {epoch['change']}（现为 {found['change']}）"
    )
    click.echo(
        f"程序 {epoch['engine']}　词典 {found['dictionary']}　权重 {found['weights']}　"
        f"循环{'已编译' if found['compiled'] else '未编译'}"
    )
    click.echo(
        f"能力在列 {found['documents']}　词项 {found['terms']}　名单 {found['shortlists']} 份　"
        f"需重建 {'是' if found['due'] else '否'}"
    )
    for segment in found["segments"]:
        kind = "基本" if segment["base"] else "增量"
        click.echo(
            f"  {kind}段　能力 {segment['documents']}（失效 {segment['dead']}）　倒排 {segment['postings']}　"
            f"稠密列 {segment['dense']}　内存 {segment['bytes'] / 1e6:.1f} MB"
        )
    click.echo(
        f"增量文件 {found['deltas']}　需求方权重文件 {found['weighed']}　磁盘 {found['disk'] / 1e6:.1f} MB"
    )
    for name in found["damaged"]:
        click.echo(f"  损坏：{name}", err=True)
