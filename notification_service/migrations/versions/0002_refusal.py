"""Expand: notifications say why nobody could be told. The running release writes NULL: told."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column."""
    op.add_column("notification", sa.Column("refusal", sa.String(), nullable=True))
