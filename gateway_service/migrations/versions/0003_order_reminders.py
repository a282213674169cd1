"""Expand: how often an order's saga was asked for again; the running release doesn't notice."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table of reminders; few orders ever have one."""
    op.create_table(
        "order_reminder",
        sa.Column("order_id", sa.Uuid(), primary_key=True),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=False),
    )
