"""registration in steps, claims, designations, assisted entry

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
MOMENT = sa.DateTime(timezone=True)
STATUSES = ("draft", "pending", "returned", "verified", "suspended", "unclaimed")
# Who holds a code: before, all but drafts; now, neither what was collected.
REGISTERED_BEFORE = "status <> 'draft'"
REGISTERED = "status not in ('draft', 'unclaimed', 'merged')"


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=24)


def _unique_code(where: str) -> None:
    op.create_index(
        "uq_organisation_registered_code",
        "organisation",
        ["uscc"],
        unique=True,
        sqlite_where=sa.text(where),
        postgresql_where=sa.text(where),
    )


def _is_one_of(*statuses: str) -> str:
    return "status IN ({})".format(", ".join(f"'{status}'" for status in statuses))


def upgrade() -> None:
    op.drop_index("uq_organisation_registered_code", table_name="organisation")
    with op.batch_alter_table("organisation") as table:
        table.add_column(sa.Column("return_reasons", JSON, nullable=False, server_default="{}"))
        table.add_column(sa.Column("suspended_until", sa.Date(), nullable=True))
        table.add_column(sa.Column("merged_into_id", ID, nullable=True))
        table.create_foreign_key(
            op.f("fk_organisation_merged_into_id"), "organisation", ["merged_into_id"], ["id"]
        )
        table.create_index(op.f("ix_organisation_merged_into_id"), ["merged_into_id"])
        table.drop_constraint(op.f("ck_organisation_organisation_status"), type_="check")
        table.create_check_constraint(
            op.f("ck_organisation_organisation_status"), _is_one_of(*STATUSES, "merged")
        )
    with op.batch_alter_table("organisation") as table:
        table.alter_column("return_reasons", existing_type=JSON, server_default=None)
    _unique_code(REGISTERED)
    with op.batch_alter_table("designation") as table:
        table.add_column(sa.Column("issued_on", sa.Date(), nullable=True))
        table.add_column(sa.Column("reminded_days", sa.Integer(), nullable=True))
        table.add_column(sa.Column("lapsed_at", MOMENT, nullable=True))
        table.create_index(op.f("ix_designation_valid_to"), ["valid_to"])
    op.create_table(
        "organisation_figures",
        sa.Column("organisation_id", ID, autoincrement=False, nullable=False),
        sa.Column("employees", sa.Integer(), nullable=True),
        sa.Column("revenue_fen", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_organisation_figures_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organisation_id", name=op.f("pk_organisation_figures")),
    )
    _create_claims()
    _create_assisted()


def _create_claims() -> None:
    op.create_table(
        "organisation_claim",
        sa.Column("organisation_id", ID, nullable=False),
        sa.Column("claimant_id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("basis", _enum("claim_basis", "code", "evidence"), nullable=False),
        sa.Column("statement", sa.Text(), nullable=False),
        sa.Column(
            "status", _enum("claim_status", "open", "accepted", "declined", "withdrawn"), nullable=False
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_organisation_claim_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["claimant_id"], ["organisation.id"], name=op.f("fk_organisation_claim_claimant_id")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_organisation_claim_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation_claim")),
    )
    with op.batch_alter_table("organisation_claim") as table:
        for column in ("organisation_id", "claimant_id", "status"):
            table.create_index(op.f(f"ix_organisation_claim_{column}"), [column])
        table.create_index(
            "uq_organisation_claim_open",
            ["organisation_id", "claimant_id"],
            unique=True,
            sqlite_where=sa.text("status = 'open'"),
            postgresql_where=sa.text("status = 'open'"),
        )


def _create_assisted() -> None:
    op.create_table(
        "assisted_consent",
        sa.Column("organisation_id", ID, nullable=False),
        sa.Column("given_by", sa.String(length=60), nullable=False),
        sa.Column("given_position", sa.String(length=60), nullable=False),
        sa.Column("given_on", sa.Date(), nullable=False),
        sa.Column("channel", _enum("consent_channel", "written", "on_site", "phone", "mail"), nullable=False),
        sa.Column("scope", JSON, nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("recorded_by_id", ID, nullable=True),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.Column("ended_at", MOMENT, nullable=True),
        sa.Column("takeover_hash", sa.String(length=64), nullable=True),
        sa.Column("takeover_expires_at", MOMENT, nullable=True),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_assisted_consent_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["app_user.id"], name=op.f("fk_assisted_consent_recorded_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assisted_consent")),
        sa.UniqueConstraint("takeover_hash", name=op.f("uq_assisted_consent_takeover_hash")),
    )
    op.create_index(op.f("ix_assisted_consent_organisation_id"), "assisted_consent", ["organisation_id"])
    op.create_table(
        "assisted_entry",
        sa.Column("consent_id", ID, nullable=False),
        sa.Column("organisation_id", ID, nullable=False),
        sa.Column("subject_kind", sa.String(length=24), nullable=False),
        sa.Column("subject_id", ID, nullable=False),
        sa.Column("status", _enum("entry_status", "waiting", "confirmed", "objected"), nullable=False),
        sa.Column("entered_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(
            ["consent_id"], ["assisted_consent.id"], name=op.f("fk_assisted_entry_consent_id")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_assisted_entry_organisation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assisted_entry")),
        sa.UniqueConstraint(
            "subject_kind", "subject_id", name=op.f("uq_assisted_entry_subject_kind_subject_id")
        ),
    )
    for column in ("consent_id", "organisation_id"):
        op.create_index(op.f(f"ix_assisted_entry_{column}"), "assisted_entry", [column])


def downgrade() -> None:
    for name in ("assisted_entry", "assisted_consent", "organisation_claim", "organisation_figures"):
        op.drop_table(name)
    with op.batch_alter_table("designation") as table:
        table.drop_index(op.f("ix_designation_valid_to"))
        for column in ("lapsed_at", "reminded_days", "issued_on"):
            table.drop_column(column)
    op.drop_index("uq_organisation_registered_code", table_name="organisation")
    # What was merged has nothing left to its name; it goes back to being merely collected.
    op.execute("UPDATE organisation SET status = 'unclaimed' WHERE status = 'merged'")
    with op.batch_alter_table("organisation") as table:
        table.drop_constraint(op.f("ck_organisation_organisation_status"), type_="check")
        table.create_check_constraint(op.f("ck_organisation_organisation_status"), _is_one_of(*STATUSES))
        table.drop_index(op.f("ix_organisation_merged_into_id"))
        table.drop_constraint(op.f("fk_organisation_merged_into_id"), type_="foreignkey")
        for column in ("merged_into_id", "suspended_until", "return_reasons"):
            table.drop_column(column)
    _unique_code(REGISTERED_BEFORE)
