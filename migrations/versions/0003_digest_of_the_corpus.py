"""the digest of the documents in force, kept along with the changes of the corpus

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("match_corpus") as table:
        table.add_column(sa.Column("digest", sa.String(length=64), nullable=False, server_default="0" * 64))
    connection = op.get_bind()
    hashes = connection.execute(
        sa.text("select sha256 from match_document where kind = 'capability' and left_change is null")
    ).scalars()
    total = sum(int(one, 16) for one in hashes) % (1 << 256)
    connection.execute(sa.text("update match_corpus set digest = :digest"), {"digest": f"{total:064x}"})
    with op.batch_alter_table("match_corpus") as table:
        table.alter_column("digest", server_default=None)


def downgrade() -> None:
    with op.batch_alter_table("match_corpus") as table:
        table.drop_column("digest")
