"""Recorded results: one JSON file a run, named so that they sort by row and then by time."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench import chart

RESULTS = Path(__file__).parent / "results"

Document = Mapping[str, Any]


def write(document: Document, *, folder: Path = RESULTS) -> Path:
    """Keep a result, and a picture of it beside; give the JSON's path."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{stem(document)}.json"
    path.write_text(_pretty(document))
    if document["series"]:
        path.with_suffix(".svg").write_text(chart.svg(document))
    return path


def stem(document: Document) -> str:
    """ROW_TIME_COMMIT; `-dirty` where the checkout had changes."""
    at = str(document["at"])[:19].replace(":", "").replace("-", "")
    revision = document["revision"] or {"commit": "unknown", "dirty": False}
    dirty = "-dirty" if revision["dirty"] else ""
    return f"{document['name']}_{at}_{str(revision['commit'])[:10]}{dirty}"


def read(which: str, *, folder: Path = RESULTS) -> list[Document]:
    """Give the results that are meant: a file, or all of a revision (the begin of a commit).

    Raises LookupError if there are none.
    """
    path = Path(which)
    if path.is_file():
        return [json.loads(path.read_text())]
    every = [json.loads(each.read_text()) for each in sorted(folder.glob("*.json"))]
    found = [
        each for each in every if each["revision"] and each["revision"]["commit"].startswith(which)
    ]
    if not found:
        raise LookupError(f"{which} is neither a file nor a revision with results in {folder}")
    return found


def _pretty(document: Document) -> str:
    """Indented, but for the series: a line for each second."""
    rows = ",\n    ".join(json.dumps(row) for row in document["series"])
    whole = json.dumps(dict(document) | {"series": ["SERIES"]}, indent=2)
    return whole.replace('"SERIES"', rows, 1) + "\n"
