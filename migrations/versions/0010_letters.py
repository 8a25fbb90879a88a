"""preferences and digests of letters

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MAILING = sa.Enum(
    "now",
    "daily",
    "weekly",
    "off",
    name="mailing",
    native_enum=False,
    create_constraint=True,
    length=24,
)
WAITS = sa.text("digest_id IS NULL AND mailing IN ('daily', 'weekly')")


def upgrade() -> None:
    op.create_table(
        "letter_digest",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("period", MAILING, nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("mailed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("mail_problem", sa.String(length=200), nullable=False),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.CheckConstraint("period IN ('daily', 'weekly')", name=op.f("ck_letter_digest_a_digest_gathers")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_letter_digest_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_letter_digest")),
        sa.UniqueConstraint(
            "user_id", "period", "due_on", name=op.f("uq_letter_digest_user_id_period_due_on")
        ),
    )
    op.create_table(
        "letter_setting",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("group", sa.String(length=24), nullable=False),
        sa.Column("mailing", MAILING, nullable=False),
        sa.Column("in_site", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_letter_setting_user_id")),
        sa.PrimaryKeyConstraint("user_id", "group", name=op.f("pk_letter_setting")),
    )
    op.create_table(
        "letter_reader",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("language", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_letter_reader_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_letter_reader")),
    )
    with op.batch_alter_table("letter") as batch_op:
        batch_op.add_column(sa.Column("words", JSON, nullable=True))
        # Every letter so far was mailed at once.
        batch_op.add_column(sa.Column("mailing", MAILING, nullable=False, server_default="now"))
        batch_op.add_column(sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("digest_id", ID, nullable=True))
        batch_op.create_foreign_key(op.f("fk_letter_digest_id"), "letter_digest", ["digest_id"], ["id"])
        batch_op.create_check_constraint(
            op.f("ck_letter_a_secret_does_not_wait"), "NOT by_mail_only OR mailing = 'now'"
        )
    with op.batch_alter_table("letter") as batch_op:
        batch_op.alter_column("mailing", server_default=None, existing_type=MAILING, existing_nullable=False)
        batch_op.create_index(
            "ix_letter_waiting", ["mailing", "user_id"], sqlite_where=WAITS, postgresql_where=WAITS
        )
        batch_op.create_index("ix_letter_digest_id", ["digest_id"])


def downgrade() -> None:
    with op.batch_alter_table("letter") as batch_op:
        batch_op.drop_index("ix_letter_digest_id")
        batch_op.drop_index("ix_letter_waiting")
        batch_op.drop_constraint(op.f("fk_letter_digest_id"), type_="foreignkey")
        batch_op.drop_constraint(op.f("ck_letter_a_secret_does_not_wait"), type_="check")
        batch_op.drop_constraint(op.f("ck_letter_mailing"), type_="check")
        for column in ("digest_id", "archived_at", "mailing", "words"):
            batch_op.drop_column(column)
    for table in ("letter_reader", "letter_setting", "letter_digest"):
        op.drop_table(table)
