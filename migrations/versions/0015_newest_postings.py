"""the newest postings of every status come from one index, with all that decides whether they are listed

PostgreSQL read all of fifty thousand capabilities to show the newest ten.

Revision ID: 0015
Revises: 0014
"""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

#: Table → when a posting is over.
OVER = {"challenge": "closes_at", "need": "expires_at", "capability": "expires_at"}


def upgrade() -> None:
    for table, over in OVER.items():
        columns = ["published_at", "id", "status", over, "organisation_id"]
        op.create_index(f"ix_{table}_newest", table, columns)
        op.drop_index(f"ix_{table}_published_at", table_name=table)


def downgrade() -> None:
    for table in OVER:
        op.create_index(f"ix_{table}_published_at", table, ["published_at"])
        op.drop_index(f"ix_{table}_newest", table_name=table)
