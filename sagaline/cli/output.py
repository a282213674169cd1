"""What goes to stdout: JSON for programs, tables and lines for people, in 80 columns."""

import json
import sys
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sagaline.local.client import Json

WHOLE = frozenset({"key", "order", "id", "service"})  # columns that are never broken
STYLES = {
    "CONFIRMED": "green",
    "COMPLETED": "green",
    "SUCCEEDED": "green",
    "ready": "green",
    "ok": "green",
    "REJECTED": "yellow",
    "COMPENSATED": "yellow",
    "UNDONE": "yellow",
    "UNDO_NOOP": "yellow",
    "FAILED": "red",
    "WRONG": "red",
    "NEEDS_ATTENTION": "bold red",
    "PLANNED": "dim",
    "not": "dim",
    "PENDING": "cyan",
    "WAITING": "cyan",
    "UNDOING": "cyan",
}


def console() -> Console:
    """Give stdout: colours on a terminal only, and no guessing at what a number or path is."""
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def print_json(document: Json) -> None:
    """Print one JSON document, without anything around it."""
    sys.stdout.write(json.dumps(document, indent=2, default=str, ensure_ascii=False) + "\n")


def print_facts(facts: Mapping[str, object]) -> None:
    """Print a line for each fact that there is: name, value."""
    out = console()
    width = max(len(name) for name in facts) + 2
    for name, value in facts.items():
        if value is not None and value != "":
            out.print(Text(name.ljust(width), style="dim") + styled(str(value)))


def table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> Table:
    """Make a table for people; words that say how something stands have their colour."""
    made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for title in titles:
        # An id in two pieces can't be copied.
        made.add_column(title, overflow="fold", no_wrap=title in WHOLE)
    for row in rows:
        made.add_row(*(styled(str(cell)) for cell in row))
    return made


def print_table(out: Console, titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table for people; without spaces at the ends of lines where it goes to a file."""
    made = table(titles, rows)
    if out.is_terminal:
        out.print(made)
        return
    with out.capture() as captured:
        out.print(made)
    out.file.writelines(line.rstrip() + "\n" for line in captured.get().splitlines())


def styled(text: str) -> Text:
    """Colour a text that begins with a word of how something stands."""
    first = text.split(" ", 1)[0].rstrip(",:")
    return Text(text, style=STYLES.get(first, ""))


def amounts(by_currency: object) -> str:
    """Put amounts in minor units, by currency, into words."""
    if not isinstance(by_currency, Mapping):
        return str(by_currency)
    return ", ".join(f"{amount} {name}" for name, amount in sorted(by_currency.items())) or "0"
