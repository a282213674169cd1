"""Create accounts, and what is held on them."""

from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    op.execute(
        "CREATE TABLE account (account_id text PRIMARY KEY, points bigint CHECK (points >= 0))"
    )
    op.execute(
        """
        CREATE TABLE hold (
            transfer_id uuid PRIMARY KEY,
            account_id text NOT NULL REFERENCES account,
            points bigint NOT NULL,
            taken boolean NOT NULL DEFAULT false
        )
        """
    )
