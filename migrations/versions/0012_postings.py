"""extension, renewal, take-down, revisions and announcements

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
INSTANT = sa.DateTime(timezone=True)
STATUSES = {
    "challenge": ("draft", "submitted", "returned", "published", "withdrawn", "taken_down", "collected"),
    "need": ("draft", "published", "withdrawn", "taken_down", "submitted", "collected"),
    "capability": ("draft", "published", "withdrawn", "taken_down", "submitted", "collected"),
}
STATUSES_BEFORE = {
    "challenge": ("draft", "submitted", "returned", "published", "withdrawn", "collected"),
    "need": ("draft", "published", "withdrawn", "taken_down", "collected"),
    "capability": ("draft", "published", "withdrawn", "taken_down", "collected"),
}


def _names(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def upgrade() -> None:
    for table in STATUSES:
        _set_statuses(table, STATUSES[table])
        with op.batch_alter_table(table) as batch_op:
            batch_op.add_column(sa.Column("appeal", sa.Text(), nullable=False, server_default=""))
            if table != "challenge":
                batch_op.add_column(sa.Column("submitted_at", INSTANT, nullable=True))
            if table == "capability":
                batch_op.add_column(sa.Column("expires_at", INSTANT, nullable=True))
        with op.batch_alter_table(table) as batch_op:
            batch_op.alter_column("appeal", existing_type=sa.Text(), server_default=None)
            if table == "capability":
                batch_op.create_index(op.f("ix_capability_expires_at"), ["expires_at"])
    op.create_table(
        "posting_revision",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("posting_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("act", sa.String(24), nullable=False),
        sa.Column("audience", _names("revision_audience", "owner", "platform", "public"), nullable=False),
        sa.Column("by_name", sa.String(120), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_posting_revision_number_counts_from_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posting_revision")),
        sa.UniqueConstraint(
            "kind", "posting_id", "number", name=op.f("uq_posting_revision_kind_posting_id_number")
        ),
    )
    op.create_table(
        "posting_lapse_notice",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("posting_id", ID, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("stage", _names("lapse_stage", "soon", "over"), nullable=False),
        sa.Column("sent_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posting_lapse_notice")),
        sa.UniqueConstraint(
            "kind",
            "posting_id",
            "expires_at",
            "stage",
            name=op.f("uq_posting_lapse_notice_kind_posting_id_expires_at_stage"),
        ),
    )
    op.create_table(
        "challenge_deadline_change",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("challenge_id", ID, nullable=False),
        sa.Column("act", _names("deadline_act", "extend", "close_early"), nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("from_at", INSTANT, nullable=False),
        sa.Column("to_at", INSTANT, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(act = 'extend' and to_at > from_at) or (act = 'close_early' and to_at < from_at)",
            name=op.f("ck_challenge_deadline_change_goes_the_way_it_says"),
        ),
        sa.ForeignKeyConstraint(
            ["challenge_id"],
            ["challenge.id"],
            name=op.f("fk_challenge_deadline_change_challenge_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenge_deadline_change")),
    )
    op.create_index(
        op.f("ix_challenge_deadline_change_challenge_id"), "challenge_deadline_change", ["challenge_id"]
    )
    op.create_table(
        "announcement",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column(
            "category", _names("announcement_category", "notice", "publicity", "policy", "service"), nullable=False
        ),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", _names("announcement_status", "draft", "published", "withdrawn"), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("author_id", ID, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("published_at", INSTANT, nullable=True),
        sa.Column("withdrawn_at", INSTANT, nullable=True),
        sa.Column("status_reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "(status <> 'published') or (published_at is not null)",
            name=op.f("ck_announcement_published_has_its_instant"),
        ),
        sa.CheckConstraint(
            "(status <> 'withdrawn') or (withdrawn_at is not null)",
            name=op.f("ck_announcement_withdrawn_has_its_instant"),
        ),
        sa.ForeignKeyConstraint(["author_id"], ["app_user.id"], name=op.f("fk_announcement_author_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_announcement")),
    )
    op.create_index("ix_announcement_shown", "announcement", ["status", "pinned", "published_at"])


def _set_statuses(table: str, statuses: tuple[str, ...]) -> None:
    name = op.f(f"ck_{table}_{table}_status")
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(name, type_="check")
    with op.batch_alter_table(table) as batch_op:
        batch_op.create_check_constraint(name, f"status IN ({', '.join(repr(status) for status in statuses)})")


def downgrade() -> None:
    for table in ("announcement", "challenge_deadline_change", "posting_lapse_notice", "posting_revision"):
        op.drop_table(table)
    op.execute("UPDATE challenge SET status = 'withdrawn', withdrawn_at = updated_at WHERE status = 'taken_down'")
    for table, statuses in STATUSES_BEFORE.items():
        if table != "challenge":
            op.execute(f"UPDATE {table} SET status = 'taken_down' WHERE status = 'submitted'")  # noqa: S608
        with op.batch_alter_table(table) as batch_op:
            if table == "capability":
                batch_op.drop_index(op.f("ix_capability_expires_at"))
                batch_op.drop_column("expires_at")
            if table != "challenge":
                batch_op.drop_column("submitted_at")
            batch_op.drop_column("appeal")
        _set_statuses(table, statuses)
