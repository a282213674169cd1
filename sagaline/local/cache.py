"""The user's cache: what was downloaded once and is shared by every checkout."""

import os
from pathlib import Path


def directory() -> Path:
    """Give the folder; it may not exist yet."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "sagaline"
