"""`sagactl`: runs a platform on this machine, and talks to the one that runs."""

from sagaline.cli.app import main

__all__ = ["main"]
