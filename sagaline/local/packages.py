"""The packages that a platform consists of: services, schemas."""

import sys

from sagaline.local.platform_config import PlatformConfig


def make_importable(config: PlatformConfig) -> None:
    """They can be imported here, wherever `sagactl` was called."""
    root = str(config.root)
    if root not in sys.path:
        sys.path.insert(0, root)
