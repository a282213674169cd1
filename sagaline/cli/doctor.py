"""`sagactl doctor`: what keeps the platform from running, or from running well."""

import logging
from collections.abc import Sequence

import typer
from rich.text import Text

from sagaline.cli import place
from sagaline.cli.exits import Exit
from sagaline.cli.output import console, print_json
from sagaline.cli.place import JsonOption, StateOption
from sagaline.local.doctor.finding import Finding, Verdict

STYLES = {Verdict.OK: "green", Verdict.NOTE: "cyan", Verdict.WRONG: "bold red"}
INDENT = " " * 19


def doctor(state: StateOption = None, json: JsonOption = False) -> None:
    """Check this machine and the platform, running or not, and say what to do.

    Python, packages, disk, memory and downloads; ports, and what a killed platform left. Of one
    that runs: PostgreSQL, tables, clocks, Kafka, topics, services, and what waits for a person.
    Nothing is changed.

    Exit 0: all is well; 1: something is wrong, marked WRONG.

    Examples:

      ./sagactl doctor

      ./sagactl doctor --json | jq '.findings[] | select(.verdict == "WRONG")'
    """
    # Here, since Alembic comes with it: no other command is to wait for that.
    from sagaline.local.doctor.examination import examine

    # Its client's own complaints would stand between our lines.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    findings = list(examine(place.config(), place.state(state)))
    well = all(each.verdict is not Verdict.WRONG for each in findings)
    if json:
        print_json({"well": well, "findings": [_document(each) for each in findings]})
    else:
        _print(findings)
    raise typer.Exit(Exit.DONE if well else Exit.FAILED)


def _document(finding: Finding) -> dict[str, str | None]:
    return {
        "about": finding.about,
        "verdict": finding.verdict.value,
        "text": finding.text,
        "remedy": finding.remedy or None,
    }


def _print(findings: Sequence[Finding]) -> None:
    out = console()
    for each in findings:
        line = Text(f"{each.verdict:<6}", style=STYLES[each.verdict])
        out.print(line + Text(f"{each.about:<13}") + Text(each.text, style=""))
        if each.remedy:
            out.print(Text(f"{INDENT}{each.remedy}", style="dim"))
