"""sign-in with a second factor, sessions, invitations of members

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime(timezone=True)
LIVE_BEFORE = sa.text("status in ('requested', 'active')")
LIVE = sa.text("status in ('requested', 'active', 'disabled')")
OPEN = sa.text("accepted_at is null and withdrawn_at is null")
PURPOSES_BEFORE = ("registration", "password_reset", "platform_invitation")
PURPOSES = (*PURPOSES_BEFORE, "email", "second_step")
STATUSES_BEFORE = ("requested", "active", "declined", "left")
STATUSES = ("requested", "active", "disabled", "declined", "left")


def upgrade() -> None:
    _allow("one_time_token", "token_purpose", "purpose", PURPOSES)
    _allow("membership", "membership_status", "status", STATUSES)
    _live_memberships(LIVE)
    with op.batch_alter_table("app_user") as batch_op:
        batch_op.add_column(sa.Column("email_verified_at", TIME, nullable=True))
        batch_op.add_column(sa.Column("second_factor_at", TIME, nullable=True))
    # Whoever registered came by a mailed link; who took up a platform role, by one printed on the server.
    op.execute("UPDATE app_user SET email_verified_at = created_at WHERE platform_role IS NULL")
    with op.batch_alter_table("user_session") as batch_op:
        batch_op.add_column(sa.Column("authenticated_at", TIME, nullable=True))
        batch_op.add_column(sa.Column("address", sa.String(length=60), nullable=False, server_default=""))
    op.execute("UPDATE user_session SET authenticated_at = created_at")
    with op.batch_alter_table("user_session") as batch_op:
        batch_op.alter_column("authenticated_at", existing_type=TIME, nullable=False)
        batch_op.alter_column("address", existing_type=sa.String(length=60), server_default=None)
    op.create_table(
        "second_factor",
        sa.Column("user_id", ID, autoincrement=False, nullable=False),
        sa.Column("secret", sa.String(length=64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("confirmed_at", TIME, nullable=True),
        sa.Column("last_step", ID, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_second_factor_user_id")),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_second_factor")),
    )
    op.create_table(
        "recovery_code",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("used_at", TIME, nullable=True),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_recovery_code_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
        sa.UniqueConstraint("user_id", "code_hash", name=op.f("uq_recovery_code_user_id_code_hash")),
    )
    op.create_table(
        "known_device",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("first_seen_at", TIME, nullable=False),
        sa.Column("last_seen_at", TIME, nullable=False),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_known_device_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_known_device")),
        sa.UniqueConstraint("user_id", "token_hash", name=op.f("uq_known_device_user_id_token_hash")),
    )
    _create_invitations()


def _allow(table: str, check: str, column: str, values: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in values)
    with op.batch_alter_table(table) as batch_op:
        batch_op.drop_constraint(op.f(f"ck_{table}_{check}"), type_="check")
        batch_op.create_check_constraint(op.f(f"ck_{table}_{check}"), f"{column} IN ({listed})")


def _live_memberships(condition: sa.TextClause) -> None:
    op.drop_index("uq_membership_live", table_name="membership")
    op.create_index(
        "uq_membership_live",
        "membership",
        ["organisation_id", "user_id"],
        unique=True,
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _create_invitations() -> None:
    op.create_table(
        "member_invitation",
        sa.Column("organisation_id", ID, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column(
            "role",
            sa.Enum(
                "manager",
                "editor",
                "reader",
                name="organisation_role",
                native_enum=False,
                create_constraint=True,
                length=24,
            ),
            nullable=False,
        ),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("invited_by", ID, nullable=False),
        sa.Column("invited_by_name", sa.String(length=60), nullable=False),
        sa.Column("times_sent", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("sent_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("accepted_at", TIME, nullable=True),
        sa.Column("accepted_by", ID, nullable=True),
        sa.Column("withdrawn_at", TIME, nullable=True),
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.CheckConstraint(
            "accepted_at IS NULL OR withdrawn_at IS NULL", name=op.f("ck_member_invitation_ends_once")
        ),
        sa.CheckConstraint(
            "(accepted_at IS NULL) = (accepted_by IS NULL)",
            name=op.f("ck_member_invitation_accepted_by_somebody"),
        ),
        sa.CheckConstraint("times_sent > 0", name=op.f("ck_member_invitation_was_sent")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisation.id"], name=op.f("fk_member_invitation_organisation_id")
        ),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["app_user.id"], name=op.f("fk_member_invitation_invited_by")
        ),
        sa.ForeignKeyConstraint(
            ["accepted_by"], ["app_user.id"], name=op.f("fk_member_invitation_accepted_by")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_invitation")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_member_invitation_token_hash")),
    )
    op.create_index(op.f("ix_member_invitation_organisation_id"), "member_invitation", ["organisation_id"])
    op.create_index(
        "uq_member_invitation_open",
        "member_invitation",
        ["organisation_id", "email"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )


def downgrade() -> None:
    op.drop_table("member_invitation")
    op.drop_table("known_device")
    op.drop_table("recovery_code")
    op.drop_table("second_factor")
    with op.batch_alter_table("user_session") as batch_op:
        batch_op.drop_column("address")
        batch_op.drop_column("authenticated_at")
    with op.batch_alter_table("app_user") as batch_op:
        batch_op.drop_column("second_factor_at")
        batch_op.drop_column("email_verified_at")
    # What the earlier program has no word for is over.
    op.execute("UPDATE membership SET status = 'left' WHERE status = 'disabled'")
    op.execute("DELETE FROM one_time_token WHERE purpose IN ('email', 'second_step')")
    _live_memberships(LIVE_BEFORE)
    _allow("membership", "membership_status", "status", STATUSES_BEFORE)
    _allow("one_time_token", "token_purpose", "purpose", PURPOSES_BEFORE)
