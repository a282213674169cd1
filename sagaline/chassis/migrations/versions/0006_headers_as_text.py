"""Headers of outbox rows stay the text that they are: as jsonb each was taken apart to be stored.

The running release writes jsonb, which PostgreSQL turns into json as it is stored.
"""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Change the type; the table is written anew, and holds what waits to be published."""
    op.execute("SET LOCAL lock_timeout = '2s'")  # waiting, it would block each batch behind it
    op.execute("ALTER TABLE sagaline.outbox ALTER COLUMN headers TYPE json USING headers::json")
