"""Expand: positions keep how their last holders ended, and what was tried alone."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    """
    ALTER TABLE sagaline.positions
        ADD COLUMN unclean_ends integer NOT NULL DEFAULT 0,
        ADD COLUMN unclean_at bigint,
        ADD COLUMN attempts integer NOT NULL DEFAULT 0,
        ADD COLUMN attempt_at bigint
    """,
)


def upgrade() -> None:
    """Add the columns; the running release doesn't know them."""
    op.execute("SET LOCAL lock_timeout = '2s'")  # waiting, it would block each batch behind it
    for statement in STATEMENTS:
        op.execute(statement)
