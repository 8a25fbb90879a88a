"""PostgreSQL keeps the texts of search out of line, so that a word's hits lie on few pages

The index over the tokens is asked for rows, and each must be looked at in its page to know that it is there
for the reader. With texts and tokens in line that is nearly a page a row. Rows written before stay as they
are until they are written again, as `flask search rebuild` does.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE search_body SET (toast_tuple_target = 128)")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE search_body RESET (toast_tuple_target)")
