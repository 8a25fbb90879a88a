"""`flask files`: whether what rows name lies on the disk as it was, and removing what none names."""

import click
from flask.cli import AppGroup

from marketplace.attachments import queries, sweeps
from marketplace.kernel import clock

PROBLEMS = {"missing": "文件不在磁盘上", "size": "大小不符", "hash": "内容已改变"}

files_cli = AppGroup("files", help="Attached files.")


@files_cli.command("check")
@click.option("--whole", is_flag=True, help="Read every byte and compare the hashes.")
def check(whole: bool) -> None:
    """Name every row whose file is missing or damaged; exit 1 where there is one."""
    faults = queries.list_faults(whole=whole)
    for fault in faults:
        click.echo(f"{fault.key}: {PROBLEMS[fault.problem]}")
    click.echo("文件完好" if not faults else f"{len(faults)} 个文件有问题，请从备份恢复")
    raise SystemExit(1 if faults else 0)


@files_cli.command("sweep")
def sweep() -> None:
    """Take away files that no row names and rows whose owner is no more, past their grace."""
    now = clock.now()
    rows, files = sweeps.sweep_rows(now=now), sweeps.sweep_files(now=now)
    click.echo(f"清理了 {files} 个无主文件、{rows} 条无主记录")
