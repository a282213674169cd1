"""The commands that pages and helps show, as who copies them would run them."""

import re
import shlex
from collections.abc import Iterator

from sagaline.cli import root
from tests.integration.cli.folder import CHECKOUT

# A command ends where its code span or its quotation ends, in a code block with its line, which
# goes on behind a backslash. Settings may stand before it.
COMMAND = re.compile(
    r"""
      `\./sagactl[ ](?P<span>[^`]*)`
    | '\./sagactl[ ](?P<quoted>[^']*)'
    | (?P<settings>(?:\b[A-Z_]+=\S+[ ])*)\./sagactl[ ](?P<line>(?:\\\n|.)*)
    """,
    re.VERBOSE,
)


def pages() -> dict[str, str]:
    """Give what shows commands by its name; every command's help is in docs/reference."""
    found = [CHECKOUT / "README.md", CHECKOUT / "CONTRIBUTING.md", *CHECKOUT.glob("docs/**/*.md")]
    texts = {str(page.relative_to(CHECKOUT)): page.read_text() for page in sorted(found)}
    return {**texts, "./sagactl --help": root.HELP}


def shown_commands() -> dict[str, list[str]]:
    """Give each command once, without ./sagactl, with the pages that show it."""
    found: dict[str, list[str]] = {}
    for name, text in pages().items():
        for command in commands_of(text):
            found.setdefault(command, []).append(name)
    return found


def commands_of(text: str) -> Iterator[str]:
    """Give the commands in a page's text, from settings before them to a pipe behind them."""
    for match in COMMAND.finditer(text):
        arguments = match["span"] or match["quoted"] or match["line"] or ""
        settings = match["settings"] or ""
        joined = (settings + arguments).replace("\\\n", " ")
        words = shlex.shlex(joined, posix=True, punctuation_chars="|")
        words.whitespace_split = True
        yield shlex.join(_until_a_pipe(words))


def _until_a_pipe(words: Iterator[str]) -> Iterator[str]:
    for word in words:
        if word == "|":
            return
        yield word
