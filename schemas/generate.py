"""`python -m schemas.generate [--check]`: models and topics from their sources, for development.

Another package's schemas: `python -m schemas.generate FOLDER --module FILE --base MODULE:CLASS`.
Exit 0: all files are as generated; 1: with --check, some were not.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from schemas.folder import Folder
from schemas.models import render_models
from schemas.topic_source import read_topics

HERE = Path(__file__).parent
OWN = Folder.at(HERE / "avro", HERE)
TOPICS_MODULE = '''"""Generated from topics.yaml by `python -m schemas.generate`: edit that, not this."""

from typing import Final

from schemas.catalog import Topic

TOPICS: Final[tuple[Topic, ...]] = {topics!r}
'''


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what is generated, or say what differs; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m schemas.generate", description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", help="*.avsc of another package")
    parser.add_argument("--module", type=Path, help="generated file for FOLDER")
    parser.add_argument("--base", help="what FOLDER's models stand on, as MODULE:CLASS")
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    given = parser.parse_args(arguments)
    if given.folder is None:
        generated = own_modules()
    else:
        folder = Folder.at(given.folder, given.folder)
        generated = {given.module: formatted(render_models(folder, given.module, given.base))}
    stale = [file for file, text in generated.items() if not _holds(file, text)]
    for file in stale:
        print(f"{file} {'is not as generated' if given.check else 'written'}")
        if not given.check:
            file.write_text(generated[file], encoding="utf-8")
    return 1 if given.check and stale else 0


def own_modules() -> dict[Path, str]:
    """The generated modules of this package, by file."""
    models = render_models(OWN, HERE / "messages.py", "schemas.message:Message")
    topics = TOPICS_MODULE.format(topics=read_topics(HERE / "topics.yaml"))
    return {HERE / "messages.py": formatted(models), HERE / "topics.py": formatted(topics)}


def formatted(source: str) -> str:
    """The source as ruff formats it, with the house's line length and nobody's settings."""
    ruff = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length=100", "-"]
    done = subprocess.run(ruff, input=source, capture_output=True, text=True, check=True)
    return done.stdout


def _holds(file: Path, text: str) -> bool:
    return file.exists() and file.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
