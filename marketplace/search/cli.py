"""Commands about the index."""

import click
from flask.cli import AppGroup

from marketplace.kernel import clock
from marketplace.kernel.db import db, transaction
from marketplace.search import index, vocabulary

search_cli = AppGroup("search", help="The search index.")


@search_cli.command("rebuild")
def rebuild() -> None:
    """Read every public text anew; what can be found stays so meanwhile."""
    with transaction():
        index.forget_all()
    total = sum(index.count_drift().values())
    mended = 0
    with click.progressbar(length=total, label="重建检索索引") as bar:
        for done in index.catch_up():
            bar.update(done - mended)
            mended = done
    counts, documents = vocabulary.count_words()
    db.session.rollback()
    with transaction():
        vocabulary.store(counts, documents=documents, now=clock.now())
        index.renew_statistics()
    click.echo(f"索引文档 {documents} 份，词汇 {len(counts)} 个")


@search_cli.command("check")
def check() -> None:
    """Compare the index with what is public; exit 1 where they differ."""
    drift = index.count_drift()
    broken = index.find_index_fault()
    for kind, count in drift.items():
        click.echo(f"{kind}: {index.count_documents(kind)} 份，{count} 份与公开内容不一致")
    if broken:
        click.echo(f"数据库全文索引已损坏：{broken}", err=True)
    if broken or any(drift.values()):
        raise SystemExit(1)
