"""indexes by which the public lists find a page without reading the postings

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

INDEXES = {
    "ix_challenge_hall": ("challenge", ["status", "published_at", "id", "closes_at", "organisation_id"]),
    "ix_need_hall": ("need", ["status", "published_at", "id", "expires_at", "organisation_id"]),
    "ix_capability_hall": ("capability", ["status", "published_at", "id", "organisation_id"]),
    "ix_challenge_held": ("challenge", ["organisation_id", "status", "closes_at"]),
    "ix_need_held": ("need", ["organisation_id", "status", "expires_at"]),
    "ix_capability_held": ("capability", ["organisation_id", "status"]),
}


def upgrade() -> None:
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, (table, _columns) in INDEXES.items():
        op.drop_index(name, table_name=table)
