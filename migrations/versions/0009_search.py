"""the search index, saved searches and favourites

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
AT = sa.DateTime(timezone=True)

# The tokens are cut by the program. "ascii" leaves every other character alone, and detail=none keeps for each
# token the documents and nothing else: there are no positions to ask for.
FTS5 = (
    """CREATE VIRTUAL TABLE search_index USING fts5(
        tokens, content='search_body', content_rowid='document_id', detail=none, columnsize=0,
        tokenize="ascii tokenchars '-_./+#:'")""",
    """CREATE TRIGGER search_body_added AFTER INSERT ON search_body BEGIN
        INSERT INTO search_index(rowid, tokens) VALUES (new.document_id, new.tokens); END""",
    """CREATE TRIGGER search_body_removed AFTER DELETE ON search_body BEGIN
        INSERT INTO search_index(search_index, rowid, tokens)
        VALUES ('delete', old.document_id, old.tokens); END""",
    """CREATE TRIGGER search_body_changed AFTER UPDATE OF tokens ON search_body
        WHEN old.tokens <> new.tokens BEGIN
        INSERT INTO search_index(search_index, rowid, tokens)
        VALUES ('delete', old.document_id, old.tokens);
        INSERT INTO search_index(rowid, tokens) VALUES (new.document_id, new.tokens); END""",
)
# A function of a stated cost: without it the planner takes building vectors of every row for cheap, and reads
# the whole table for any common word.
GIN = (
    """CREATE FUNCTION search_tokens(tokens text) RETURNS tsvector
        LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1000
        AS 'BEGIN RETURN array_to_tsvector(string_to_array(tokens, '' '')); END'""",
    "CREATE INDEX search_index_tokens ON search_body USING gin (search_tokens(tokens))",
)


def upgrade() -> None:
    op.create_table(
        "search_document",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject_id", ID, nullable=False),
        sa.Column("stamp", sa.String(120), nullable=False),
        sa.Column("read_by", sa.String(40), nullable=False),
        sa.Column("public_no", sa.String(20), nullable=False),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("organisation_id", ID, nullable=False),
        sa.Column("standing", sa.String(16), nullable=False),
        sa.Column("region", sa.String(20), nullable=False),
        sa.Column("clusters", sa.String(400), nullable=False),
        sa.Column("trl", sa.Integer(), nullable=True),
        sa.Column("money_fen", sa.BigInteger(), nullable=True),
        sa.Column("published_at", AT, nullable=False),
        sa.Column("closes_at", AT, nullable=True),
        sa.Column("entered_at", AT, nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"],
            ["organisation.id"],
            name=op.f("fk_search_document_organisation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_document")),
        sa.UniqueConstraint("kind", "subject_id", name=op.f("uq_search_document_kind_subject_id")),
    )
    op.create_index("ix_search_document_newest", "search_document", ["published_at", "id"])
    op.create_index(op.f("ix_search_document_organisation_id"), "search_document", ["organisation_id"])
    op.create_index(op.f("ix_search_document_entered_at"), "search_document", ["entered_at"])
    op.create_table(
        "search_body",
        sa.Column("document_id", ID, nullable=False),
        sa.Column("keywords", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("plain", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["search_document.id"],
            name=op.f("fk_search_body_document_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("document_id", name=op.f("pk_search_body")),
    )
    for statement in FTS5 if op.get_bind().dialect.name == "sqlite" else GIN:
        op.execute(statement)
    op.create_table(
        "search_word",
        sa.Column("word", sa.String(40), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_search_word")),
    )
    op.create_table(
        "search_vocabulary",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("counted_at", AT, nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_vocabulary")),
    )
    op.create_table(
        "search_tally",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("words", sa.String(60), nullable=False),
        sa.Column("searches", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "words", name=op.f("pk_search_tally")),
    )
    op.create_table(
        "saved_search",
        sa.Column("id", ID, autoincrement=True, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("asked", JSON, nullable=False),
        sa.Column(
            "frequency",
            sa.Enum(
                "never", "at_once", "daily", "weekly",
                name="frequency", native_enum=False, create_constraint=True, length=24,
            ),
            nullable=False,
        ),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("seen_until", AT, nullable=False),
        sa.Column("next_at", AT, nullable=True),
        sa.CheckConstraint("name <> ''", name=op.f("ck_saved_search_has_a_name")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_saved_search_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_search")),
        sa.UniqueConstraint("user_id", "name", name=op.f("uq_saved_search_user_id_name")),
    )
    op.create_index(op.f("ix_saved_search_next_at"), "saved_search", ["next_at"])
    op.create_table(
        "saved_search_hit",
        sa.Column("saved_search_id", ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject_id", ID, nullable=False),
        sa.ForeignKeyConstraint(
            ["saved_search_id"],
            ["saved_search.id"],
            name=op.f("fk_saved_search_hit_saved_search_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("saved_search_id", "kind", "subject_id", name=op.f("pk_saved_search_hit")),
    )
    op.create_table(
        "favourite",
        sa.Column("user_id", ID, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject_id", ID, nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["app_user.id"], name=op.f("fk_favourite_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "kind", "subject_id", name=op.f("pk_favourite")),
    )
    op.create_index("ix_favourite_newest", "favourite", ["user_id", "created_at"])


def downgrade() -> None:
    for table in ("favourite", "saved_search_hit", "saved_search"):
        op.drop_table(table)
    for table in ("search_tally", "search_vocabulary", "search_word"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE search_index")
    op.drop_table("search_body")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION search_tokens(text)")
    op.drop_table("search_document")
