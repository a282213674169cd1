"""Tables whose first column is a name to be copied: it stays in one piece."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from sagaline.cli.output import console, styled

PIPE_COLUMNS = 1_000  # nobody reads the end of a line there


def print_wide_table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; in a pipe a row is a line, on a terminal all but the names may be folded."""
    made = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for number, title in enumerate(titles):
        made.add_column(title, overflow="fold", no_wrap=number == 0)
    for row in rows:
        made.add_row(*(styled(str(cell)) for cell in row))
    out = console()
    if out.is_terminal:
        out.print(made)
        return
    piped = Console(highlight=False, width=PIPE_COLUMNS)
    with piped.capture() as captured:
        piped.print(made)
    out.file.writelines(line.rstrip() + "\n" for line in captured.get().splitlines())
