"""weights and dictionaries as versioned rows, and all that a run needs to be computed again

Revision ID: 0002
Revises: 0001
"""

import hashlib
import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
NULLABLE_JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
STATUS = sa.Enum(
    "proposed",
    "accepted",
    "withdrawn",
    name="setting_status",
    native_enum=False,
    create_constraint=True,
    length=24,
)
CHECKS = {
    "accepted_has_its_time": "(status = 'accepted') = (accepted_at is not null)",
    "withdrawn_has_its_time": "(status = 'withdrawn') = (withdrawn_at is not null)",
}


def upgrade() -> None:
    op.create_table(
        "dictionary_version",
        sa.Column("dictionary", JSON, nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("status", STATUS, nullable=False),
        sa.Column("author_id", ID, nullable=True),
        sa.Column("author_name", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=120), nullable=False),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("preview", NULLABLE_JSON, nullable=True),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        *(
            sa.CheckConstraint(text, name=op.f(f"ck_dictionary_version_{name}"))
            for name, text in CHECKS.items()
        ),
        sa.ForeignKeyConstraint(["author_id"], ["app_user.id"], name=op.f("fk_dictionary_version_author_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dictionary_version")),
        sa.UniqueConstraint("version", name=op.f("uq_dictionary_version_version")),
    )
    _upgrade_weight_sets()
    with op.batch_alter_table("corpus_epoch") as batch_op:
        batch_op.add_column(sa.Column("weight_set_id", ID, nullable=True))
        batch_op.add_column(sa.Column("dictionary_id", ID, nullable=True))
        batch_op.create_foreign_key(
            op.f("fk_corpus_epoch_weight_set_id"), "weight_set", ["weight_set_id"], ["id"]
        )
        batch_op.create_foreign_key(
            op.f("fk_corpus_epoch_dictionary_id"), "dictionary_version", ["dictionary_id"], ["id"]
        )
    with op.batch_alter_table("match_run") as batch_op:
        batch_op.add_column(sa.Column("ranked_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("ranked_change", sa.Integer(), nullable=True))
    # What is known of runs from before: when they were begun, and the last change they were brought to.
    op.execute("UPDATE match_run SET ranked_at = started_at, ranked_change = corpus_change")
    with op.batch_alter_table("match_run") as batch_op:
        batch_op.alter_column("ranked_at", existing_type=sa.DateTime(timezone=True), nullable=False)
        batch_op.alter_column("ranked_change", existing_type=sa.Integer(), nullable=False)
    with op.batch_alter_table("match_entry") as batch_op:
        batch_op.add_column(sa.Column("sha256", sa.String(length=64), nullable=False, server_default=""))
    with op.batch_alter_table("match_entry") as batch_op:
        batch_op.alter_column("sha256", existing_type=sa.String(length=64), server_default=None)
    op.create_table(
        "match_placement",
        sa.Column("run_id", ID, nullable=False),
        sa.Column("capability_id", ID, autoincrement=False, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(
            ["run_id"], ["match_run.id"], name=op.f("fk_match_placement_run_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("run_id", "capability_id", name=op.f("pk_match_placement")),
    )


def _upgrade_weight_sets() -> None:
    with op.batch_alter_table("weight_set") as batch_op:
        batch_op.add_column(sa.Column("version", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("digest", sa.String(length=64), nullable=True))
        # The CHECK comes with the column where it becomes NOT NULL; twice it would have one name.
        batch_op.add_column(sa.Column("status", sa.String(length=24), nullable=True))
        batch_op.add_column(sa.Column("author_id", ID, nullable=True))
        batch_op.add_column(sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("decided_by", sa.String(length=120), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("decision", sa.Text(), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("preview", NULLABLE_JSON, nullable=True))
    _fill_weight_sets()
    with op.batch_alter_table("weight_set") as batch_op:
        batch_op.alter_column("version", existing_type=sa.String(length=40), nullable=False)
        batch_op.alter_column("digest", existing_type=sa.String(length=64), nullable=False)
        batch_op.alter_column("status", existing_type=sa.String(length=24), nullable=False)
        batch_op.alter_column("proposed_at", existing_type=sa.DateTime(timezone=True), nullable=False)
        batch_op.alter_column("accepted_at", existing_type=sa.DateTime(timezone=True), nullable=True)
        batch_op.alter_column("decided_by", existing_type=sa.String(length=120), server_default=None)
        batch_op.alter_column("decision", existing_type=sa.Text(), server_default=None)
        batch_op.create_unique_constraint(op.f("uq_weight_set_version"), ["version"])
        batch_op.create_foreign_key(op.f("fk_weight_set_author_id"), "app_user", ["author_id"], ["id"])
        batch_op.create_check_constraint(
            op.f("ck_weight_set_setting_status"), "status IN ('proposed', 'accepted', 'withdrawn')"
        )
        for name, text in CHECKS.items():
            batch_op.create_check_constraint(op.f(f"ck_weight_set_{name}"), text)


def _fill_weight_sets() -> None:
    """Every set there was came with the program and was in force from the first."""
    table = sa.table(
        "weight_set",
        sa.column("id", ID),
        sa.column("weights", JSON),
        sa.column("version", sa.String),
        sa.column("digest", sa.String),
        sa.column("status", sa.String),
        sa.column("proposed_at", sa.DateTime(timezone=True)),
        sa.column("accepted_at", sa.DateTime(timezone=True)),
    )
    connection = op.get_bind()
    named: set[str] = set()
    for row in connection.execute(sa.select(table.c.id, table.c.weights).order_by(table.c.id)).all():
        version = str(row.weights.get("version", ""))[:30] or "P"
        version = f"{version}-{row.id}" if version in named else version
        named.add(version)
        digest = hashlib.sha256(json.dumps(row.weights, sort_keys=True).encode()).hexdigest()
        connection.execute(
            sa.update(table)
            .where(table.c.id == row.id)
            .values(version=version, digest=digest, status="accepted", proposed_at=table.c.accepted_at)
        )


def downgrade() -> None:
    op.drop_table("match_placement")
    with op.batch_alter_table("match_entry") as batch_op:
        batch_op.drop_column("sha256")
    with op.batch_alter_table("match_run") as batch_op:
        batch_op.drop_column("ranked_change")
        batch_op.drop_column("ranked_at")
    with op.batch_alter_table("corpus_epoch") as batch_op:
        batch_op.drop_constraint(op.f("fk_corpus_epoch_dictionary_id"), type_="foreignkey")
        batch_op.drop_constraint(op.f("fk_corpus_epoch_weight_set_id"), type_="foreignkey")
        batch_op.drop_column("dictionary_id")
        batch_op.drop_column("weight_set_id")
    # The table of before knows no proposals.
    op.execute("DELETE FROM weight_set WHERE accepted_at IS NULL")
    with op.batch_alter_table("weight_set") as batch_op:
        for name in CHECKS:
            batch_op.drop_constraint(op.f(f"ck_weight_set_{name}"), type_="check")
        batch_op.drop_constraint(op.f("ck_weight_set_setting_status"), type_="check")
        batch_op.drop_constraint(op.f("fk_weight_set_author_id"), type_="foreignkey")
        batch_op.drop_constraint(op.f("uq_weight_set_version"), type_="unique")
        batch_op.alter_column("accepted_at", existing_type=sa.DateTime(timezone=True), nullable=False)
        for name in (
            "preview",
            "decision",
            "decided_by",
            "withdrawn_at",
            "proposed_at",
            "author_id",
            "status",
            "digest",
            "version",
        ):
            batch_op.drop_column(name)
    op.drop_table("dictionary_version")
