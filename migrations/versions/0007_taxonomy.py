"""versions of the reference data, chains and their links

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
SCHEMES = ("cluster", "chain", "region", "gbt4754", "unit", "trl", "cooperation")
SCHEME = sa.Enum(*SCHEMES, name="scheme", native_enum=False, create_constraint=True, length=24)
STAGE = sa.Enum(
    "upstream",
    "midstream",
    "downstream",
    name="chain_stage",
    native_enum=False,
    create_constraint=True,
    length=24,
)
POSTINGS = ("challenge", "need", "capability")
CHECKS = {
    "ends_in_a_version_and_on_a_day": "(valid_to IS NULL) = (ended_version_id IS NULL)",
    "only_the_ended_are_followed": "successor_code IS NULL OR valid_to IS NOT NULL",
    "only_links_of_chains_have_a_stage": "stage IS NULL OR scheme = 'chain'",
}


def upgrade() -> None:
    op.create_table(
        "taxonomy_version",
        sa.Column("scheme", SCHEME, nullable=False),
        sa.Column("number", sa.String(length=20), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("author_id", ID, nullable=True),
        sa.Column("author_name", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("source", sa.String(length=300), nullable=False),
        sa.Column("shipped", sa.Boolean(), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_taxonomy_version")),
        sa.UniqueConstraint("scheme", "number", name=op.f("uq_taxonomy_version_scheme_number")),
    )
    _note_what_was_loaded()
    with op.batch_alter_table("taxonomy_node") as batch_op:
        batch_op.drop_constraint(op.f("ck_taxonomy_node_scheme"), type_="check")
        batch_op.add_column(sa.Column("stage", STAGE, nullable=True))
        batch_op.add_column(sa.Column("version_id", ID, nullable=True))
        batch_op.add_column(sa.Column("ended_version_id", ID, nullable=True))
        batch_op.add_column(sa.Column("successor_code", sa.String(length=20), nullable=True))
    op.execute(
        "UPDATE taxonomy_node SET version_id = (SELECT v.id FROM taxonomy_version v"
        " WHERE v.scheme = taxonomy_node.scheme AND v.number = taxonomy_node.version)"
    )
    op.execute(
        "UPDATE taxonomy_node SET ended_version_id = (SELECT min(v.id) FROM taxonomy_version v"
        " WHERE v.scheme = taxonomy_node.scheme AND v.id > taxonomy_node.version_id)"
        " WHERE valid_to IS NOT NULL"
    )
    with op.batch_alter_table("taxonomy_node") as batch_op:
        batch_op.create_check_constraint(
            op.f("ck_taxonomy_node_scheme"), f"scheme IN ({', '.join(repr(name) for name in SCHEMES)})"
        )
        for name, condition in CHECKS.items():
            batch_op.create_check_constraint(op.f(f"ck_taxonomy_node_{name}"), condition)
        batch_op.alter_column("version_id", existing_type=ID, nullable=False)
        batch_op.create_foreign_key(
            op.f("fk_taxonomy_node_version_id"), "taxonomy_version", ["version_id"], ["id"]
        )
        batch_op.create_foreign_key(
            op.f("fk_taxonomy_node_ended_version_id"), "taxonomy_version", ["ended_version_id"], ["id"]
        )
        batch_op.create_index(op.f("ix_taxonomy_node_version_id"), ["version_id"])
        batch_op.create_index(op.f("ix_taxonomy_node_ended_version_id"), ["ended_version_id"])
    for posting in POSTINGS:
        _create_links(posting)


def _note_what_was_loaded() -> None:
    """Until now a version replaced the whole scheme, in the order in which its nodes were added."""
    op.execute(
        sa.text(
            "INSERT INTO taxonomy_version"
            " (scheme, number, valid_from, created_at, author_name, reason, source, shipped, counts)"
            " SELECT scheme, version, min(valid_from), CURRENT_TIMESTAMP, 'system', '随平台提供',"
            " min(source), :shipped, :counts"
            " FROM taxonomy_node GROUP BY scheme, version ORDER BY min(id)"
        ).bindparams(
            sa.bindparam("shipped", True, type_=sa.Boolean()), sa.bindparam("counts", {}, type_=JSON)
        )
    )


def _create_links(posting: str) -> None:
    table = f"{posting}_chain_link"
    op.create_table(
        table,
        sa.Column(f"{posting}_id", ID, nullable=False),
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.ForeignKeyConstraint(
            [f"{posting}_id"], [f"{posting}.id"], name=op.f(f"fk_{table}_{posting}_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(f"{posting}_id", "code", name=op.f(f"pk_{table}")),
    )
    with op.batch_alter_table(table) as batch_op:
        batch_op.create_index(op.f(f"ix_{table}_code"), ["code"])


def downgrade() -> None:
    for posting in POSTINGS:
        op.drop_table(f"{posting}_chain_link")
    op.execute("DELETE FROM taxonomy_node WHERE scheme = 'chain'")
    with op.batch_alter_table("taxonomy_node") as batch_op:
        batch_op.drop_index(op.f("ix_taxonomy_node_ended_version_id"))
        batch_op.drop_index(op.f("ix_taxonomy_node_version_id"))
        batch_op.drop_constraint(op.f("fk_taxonomy_node_ended_version_id"), type_="foreignkey")
        batch_op.drop_constraint(op.f("fk_taxonomy_node_version_id"), type_="foreignkey")
        for name in (*CHECKS, "chain_stage", "scheme"):
            batch_op.drop_constraint(op.f(f"ck_taxonomy_node_{name}"), type_="check")
        for column in ("successor_code", "ended_version_id", "version_id", "stage"):
            batch_op.drop_column(column)
        batch_op.create_check_constraint(
            op.f("ck_taxonomy_node_scheme"),
            f"scheme IN ({', '.join(repr(name) for name in SCHEMES if name != 'chain')})",
        )
    op.drop_table("taxonomy_version")
