"""Create accounts."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the table."""
    op.execute("CREATE TABLE account (account_id text PRIMARY KEY, points bigint NOT NULL)")
