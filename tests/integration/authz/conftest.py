"""The world of the matrix, built once for each database."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Database, PostgresTemplate, _committing
from tests.integration.authz.runner import Runner, running


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def runner(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runner]:
    folder: Path = tmp_path_factory.mktemp("authz")
    if request.param == "sqlite":
        path = folder / "marketplace.sqlite3"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        database = Database("sqlite", f"sqlite:///{path}", folder)
    else:
        template: PostgresTemplate = request.getfixturevalue("postgres_template")
        with _committing(template.url) as connection:
            template.reset(connection)
        database = Database("postgres", template.url, folder)
    with running(database) as runner:
        yield runner
