"""Expand: sagas that only a person gets going are counted."""

from sagaline.engine.revisions import sagas_0002

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create an index; the running release doesn't notice."""
    sagas_0002()
