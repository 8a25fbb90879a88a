"""staged imports and exports

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)
STATUSES = (
    "received",
    "uploaded",
    "checking",
    "checked",
    "faulty",
    "applying",
    "applied",
    "cancelled",
    "expired",
    "failed",
)
VERDICTS = ("new", "changed", "same", "wrong", "missing")


def _choice(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def _of_import(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("import_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["staged_import.id"],
            name=op.f(f"fk_{table}_import_id"),
            ondelete="CASCADE",
        ),
    ]


def upgrade() -> None:
    op.create_table(
        "staged_import",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", ID, nullable=True),
        sa.Column("scope_id", ID, nullable=True),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("user_name", sa.String(length=120), nullable=False),
        sa.Column("status", _choice("import_status", STATUSES), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("format", sa.String(length=8), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("stored_name", sa.String(length=40), nullable=False),
        sa.Column("sheets", JSON, nullable=False),
        sa.Column("sheet", sa.String(length=120), nullable=False),
        sa.Column("header_row", sa.Integer(), nullable=False),
        sa.Column("headings", JSON, nullable=False),
        sa.Column("mapping", JSON, nullable=False),
        sa.Column("sample", JSON, nullable=False),
        sa.Column("withdraw_missing", sa.Boolean(), nullable=False),
        sa.Column("fence", sa.String(length=40), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("counts", JSON, nullable=False),
        sa.Column("error_count", sa.Integer(), nullable=False),
        sa.Column("manifest", sa.String(length=64), nullable=False),
        sa.Column("message", sa.String(length=300), nullable=False),
        sa.Column("message_params", JSON, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("applied_at", INSTANT, nullable=True),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.CheckConstraint(
            "(status <> 'applied') or (applied_at is not null)",
            name=op.f("ck_staged_import_applied_has_its_instant"),
        ),
        sa.CheckConstraint("size > 0", name=op.f("ck_staged_import_a_file_is_not_empty")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_staged_import_organisation_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_staged_import_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staged_import")),
    )
    for column in ("organisation_id", "user_id", "status", "expires_at"):
        op.create_index(op.f(f"ix_staged_import_{column}"), "staged_import", [column])
    op.create_table(
        "staged_row",
        *_of_import("staged_row"),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("verdict", _choice("verdict", VERDICTS), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=True),
        sa.Column("target_id", ID, nullable=True),
        sa.Column("target_version", sa.Integer(), nullable=True),
        sa.Column("public", sa.Boolean(), nullable=False),
        sa.Column("external_no", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=240), nullable=False),
        sa.Column("stored", JSON, nullable=False),
        sa.Column("changes", JSON, nullable=False),
        sa.Column("note", sa.String(length=200), nullable=False),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staged_row")),
    )
    op.create_index("ix_staged_row_import_verdict", "staged_row", ["import_id", "verdict", "line"])
    op.create_table(
        "staged_error",
        *_of_import("staged_error"),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("column", sa.String(length=120), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.Column("cause", sa.String(length=300), nullable=False),
        sa.Column("params", JSON, nullable=False),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staged_error")),
    )
    op.create_index("ix_staged_error_import_line", "staged_error", ["import_id", "line"])
    op.create_table(
        "import_column_mapping",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("headings_digest", sa.String(length=64), nullable=False),
        sa.Column("mapping", JSON, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["app_user.id"],
            name=op.f("fk_import_column_mapping_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_column_mapping")),
        sa.UniqueConstraint(
            "user_id",
            "kind",
            "headings_digest",
            name=op.f("uq_import_column_mapping_user_id_kind_headings_digest"),
        ),
    )
    op.create_table(
        "external_number",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("organisation_id", ID, nullable=False),
        sa.Column("number", sa.String(length=60), nullable=False),
        sa.Column("subject_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_external_number_organisation_id")
        ),
        sa.PrimaryKeyConstraint("kind", "organisation_id", "number", name=op.f("pk_external_number")),
        sa.UniqueConstraint("kind", "subject_id", name=op.f("uq_external_number_kind_subject_id")),
    )


def downgrade() -> None:
    for table in (
        "external_number",
        "import_column_mapping",
        "staged_error",
        "staged_row",
        "staged_import",
    ):
        op.drop_table(table)
