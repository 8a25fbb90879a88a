"""invitations, interest, remarks and match events

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
POSTING_KIND = ("challenge", "need", "capability")
APPROACH_KIND = ("invitation", "interest")
APPROACH_STATUS = ("sent", "accepted", "declined", "withdrawn", "expired", "ended")
CONTACT_SOURCE = ("organisation", "posting", "person")
SIDE = ("seeker", "supplier")
EVENT_KIND = ("shown", "opened", "invited", "replied", "agreed")
REASON = (
    "indicators", "evidence", "capacity", "schedule", "price", "region", "terms", "scope", "known", "other",
)  # fmt: skip


def _one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def upgrade() -> None:
    op.create_table(
        "match_event",
        sa.Column("token", sa.String(length=120), nullable=False),
        sa.Column("kind", _one_of("event_kind", *EVENT_KIND), nullable=False),
        sa.Column("side", _one_of("side", *SIDE), nullable=False),
        sa.Column("viewer_organisation_id", ID, nullable=False),
        sa.Column("posting_kind", _one_of("posting_kind", *POSTING_KIND), nullable=False),
        sa.Column("posting_id", ID, nullable=False),
        sa.Column("capability_id", ID, nullable=False),
        sa.Column("organisation_id", ID, nullable=False),
        sa.Column("run_id", ID, nullable=True),
        sa.Column("on_day", sa.Date(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_event")),
        sa.UniqueConstraint("token", name=op.f("uq_match_event_token")),
    )
    op.create_index(
        "ix_match_event_posting", "match_event", ["posting_kind", "posting_id", "kind"], unique=False
    )
    op.create_index(
        "ix_match_event_supplier", "match_event", ["organisation_id", "side", "on_day"], unique=False
    )
    op.create_table(
        "approach",
        sa.Column("public_no", sa.String(length=24), nullable=False),
        sa.Column("kind", _one_of("approach_kind", *APPROACH_KIND), nullable=False),
        sa.Column("posting_kind", _one_of("posting_kind", *POSTING_KIND), nullable=False),
        sa.Column("posting_id", ID, nullable=False),
        sa.Column("capability_id", ID, nullable=False),
        sa.Column("seeker_organisation_id", ID, nullable=False),
        sa.Column("supplier_organisation_id", ID, nullable=False),
        sa.Column("status", _one_of("approach_status", *APPROACH_STATUS), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("contact", _one_of("contact_source", *CONTACT_SOURCE), nullable=False),
        sa.Column("sent_by_id", ID, nullable=False),
        sa.Column("sent_by_name", sa.String(length=60), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("settled_by_id", ID, nullable=True),
        sa.Column("settled_by_name", sa.String(length=60), nullable=False),
        sa.Column("reason_code", _one_of("reason", *REASON), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.CheckConstraint(
            "(status <> 'declined') or (reason_code is not null)",
            name=op.f("ck_approach_declined_has_its_reason"),
        ),
        sa.CheckConstraint(
            "(status = 'sent') = (settled_at is null)", name=op.f("ck_approach_settled_has_its_time")
        ),
        sa.CheckConstraint("expires_at > sent_at", name=op.f("ck_approach_expires_after_it_is_sent")),
        sa.CheckConstraint(
            "seeker_organisation_id <> supplier_organisation_id", name=op.f("ck_approach_between_two")
        ),
        sa.ForeignKeyConstraint(["capability_id"], ["capability.id"], name=op.f("fk_approach_capability_id")),
        sa.ForeignKeyConstraint(
            ["seeker_organisation_id"], ["organisation.id"], name=op.f("fk_approach_seeker_organisation_id")
        ),
        sa.ForeignKeyConstraint(["sent_by_id"], ["app_user.id"], name=op.f("fk_approach_sent_by_id")),
        sa.ForeignKeyConstraint(["settled_by_id"], ["app_user.id"], name=op.f("fk_approach_settled_by_id")),
        sa.ForeignKeyConstraint(
            ["supplier_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_approach_supplier_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approach")),
        sa.UniqueConstraint("public_no", name=op.f("uq_approach_public_no")),
    )
    op.create_index("ix_approach_due", "approach", ["status", "expires_at"], unique=False)
    op.create_index("ix_approach_posting", "approach", ["posting_kind", "posting_id"], unique=False)
    op.create_index(
        "ix_approach_seeker", "approach", ["seeker_organisation_id", "status", "sent_at"], unique=False
    )
    op.create_index(
        "ix_approach_supplier", "approach", ["supplier_organisation_id", "status", "sent_at"], unique=False
    )
    op.create_index(
        "uq_approach_open",
        "approach",
        ["posting_kind", "posting_id", "supplier_organisation_id"],
        unique=True,
        sqlite_where=sa.text("status = 'sent'"),
        postgresql_where=sa.text("status = 'sent'"),
    )
    op.create_table(
        "dismissal",
        sa.Column("side", _one_of("side", *SIDE), nullable=False),
        sa.Column("organisation_id", ID, nullable=False),
        sa.Column("posting_kind", _one_of("posting_kind", *POSTING_KIND), nullable=False),
        sa.Column("posting_id", ID, nullable=False),
        sa.Column("capability_id", ID, nullable=False),
        sa.Column("reason_code", _one_of("reason", *REASON), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("made_by_name", sa.String(length=60), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["capability_id"], ["capability.id"], name=op.f("fk_dismissal_capability_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_dismissal_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dismissal")),
    )
    op.create_index("ix_dismissal_capability", "dismissal", ["capability_id"], unique=False)
    op.create_index(
        "uq_dismissal_in_force",
        "dismissal",
        ["organisation_id", "posting_kind", "posting_id", "capability_id"],
        unique=True,
        sqlite_where=sa.text("undone_at is null"),
        postgresql_where=sa.text("undone_at is null"),
    )
    op.create_table(
        "engagement_note",
        sa.Column("organisation_id", ID, nullable=False),
        sa.Column("posting_kind", _one_of("posting_kind", *POSTING_KIND), nullable=False),
        sa.Column("posting_id", ID, nullable=False),
        sa.Column("capability_id", ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author_id", ID, nullable=False),
        sa.Column("author_name", sa.String(length=60), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["app_user.id"], name=op.f("fk_engagement_note_author_id")),
        sa.ForeignKeyConstraint(
            ["capability_id"], ["capability.id"], name=op.f("fk_engagement_note_capability_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_engagement_note_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engagement_note")),
    )
    op.create_index(
        "ix_engagement_note_place",
        "engagement_note",
        ["organisation_id", "posting_kind", "posting_id", "capability_id"],
        unique=False,
    )
    op.create_table(
        "opened_contact",
        sa.Column("approach_id", ID, nullable=False),
        sa.Column("owner_organisation_id", ID, nullable=False),
        sa.Column("shown_to_organisation_id", ID, nullable=False),
        sa.Column("source", _one_of("contact_source", *CONTACT_SOURCE), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("phone", sa.String(length=20), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_name", sa.String(length=60), nullable=False),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.CheckConstraint(
            "(closed_at is null) or (name = '' and phone = '' and email = '')",
            name=op.f("ck_opened_contact_closed_is_erased"),
        ),
        sa.CheckConstraint(
            "owner_organisation_id <> shown_to_organisation_id", name=op.f("ck_opened_contact_between_two")
        ),
        sa.ForeignKeyConstraint(["approach_id"], ["approach.id"], name=op.f("fk_opened_contact_approach_id")),
        sa.ForeignKeyConstraint(
            ["owner_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_opened_contact_owner_organisation_id"),
        ),
        sa.ForeignKeyConstraint(
            ["shown_to_organisation_id"],
            ["organisation.id"],
            name=op.f("fk_opened_contact_shown_to_organisation_id"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_opened_contact")),
        sa.UniqueConstraint(
            "approach_id",
            "owner_organisation_id",
            name=op.f("uq_opened_contact_approach_id_owner_organisation_id"),
        ),
    )


def downgrade() -> None:
    for table in ("match_event", "engagement_note", "dismissal", "opened_contact", "approach"):
        op.drop_table(table)
