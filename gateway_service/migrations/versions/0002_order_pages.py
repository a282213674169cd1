"""Expand: orders can be listed by when they were placed, all of them or a customer's.

The running release doesn't notice.
"""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the indexes that pages are read from, backward."""
    op.create_index("order_request_placed", "order_request", ["placed_at", "order_id"])
    op.create_index(
        "order_request_customer_placed", "order_request", ["customer_id", "placed_at", "order_id"]
    )
