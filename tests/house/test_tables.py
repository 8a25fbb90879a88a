"""All tables are known to the migrations, and every enumeration is checked by the database."""

import importlib
import pkgutil
from pathlib import Path

import marketplace
from marketplace import tables
from marketplace.kernel.db import Base


def test_tables_names_every_module_that_defines_one() -> None:
    known = Path(tables.__file__).read_text()
    for module in pkgutil.walk_packages(marketplace.__path__, "marketplace."):
        if module.name.endswith(".models"):
            importlib.import_module(module.name)
            assert module.name in known or not _defines_tables(module.name), module.name


def _defines_tables(module_name: str) -> bool:
    return any(mapper.class_.__module__ == module_name for mapper in Base.registry.mappers)


def test_every_table_has_a_primary_key_and_named_constraints() -> None:
    for table in Base.metadata.tables.values():
        assert table.primary_key.columns, table.name
        for constraint in table.constraints:
            assert constraint.name, f"{table.name}: {constraint}"
