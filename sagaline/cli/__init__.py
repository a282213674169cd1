"""`sagactl`: runs a platform on this machine, and talks to the one that runs."""

import sys


def main() -> None:
    """Run the command line of this process, and end the process."""
    try:
        from sagaline.cli.app import main as run  # late: what it needs may not be there
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("sagaline"):
            raise
        sys.exit(f"sagactl: {error.name} is not installed: pip install 'sagaline[local]'")
    run()
