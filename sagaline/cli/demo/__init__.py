"""`sagactl demo`: orders of every outcome, on a throw-away platform, checked."""

from sagaline.cli.demo.command import demo

__all__ = ["demo"]
