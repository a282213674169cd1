"""Create the saga engine's tables."""

from sagaline.engine.revisions import sagas_0001

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the tables."""
    sagas_0001()
