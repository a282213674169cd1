"""Create notifications."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the table; there is nothing before it."""
    op.create_table(
        "notification",
        sa.Column("notification_id", sa.Uuid(), primary_key=True),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(12), nullable=False),
        sa.Column("customer_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("order_id", "kind", name="once_per_order"),
        sa.CheckConstraint("kind IN ('confirmation', 'rejection')", name="known_kind"),
    )
    op.create_index("notification_by_time", "notification", ["sent_at", "notification_id"])
