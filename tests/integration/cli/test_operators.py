"""Operators' commands on a platform where all is well, and what they say of wrong usage."""

import pytest

from tests.integration.cli.folder import Folder

NOBODY = "0193f1c5-6a2b-7c3d-8e4f-5a6b7c8d9e0f"


def test_sagas_are_listed_with_what_became_of_them(up: Folder, lamp: str) -> None:
    credit = ("--limit-minor", "1", "--currency", "EUR")
    assert up.run("account", "set", "pauper", *credit).returncode == 0
    order = ("--customer", "pauper", "--currency", "EUR", "--line", f"{lamp}=1", "--wait")
    order_id = up.json("order", "create", *order)["order_id"]
    listed = up.run("saga", "list")
    line = next(line for line in listed.stdout.splitlines() if str(order_id) in line)
    assert "COMPENSAT" in line
    assert "authorize_payment: credit_exceeded" in " ".join(listed.stdout.split())
    assert max(map(len, listed.stdout.splitlines())) <= 80
    assert up.json("saga", "list", "--stalled") == {"sagas": []}


def test_where_nothing_is_parked_or_quarantined_lists_are_empty(up: Folder) -> None:
    assert up.json("dlq", "list") == {"dead_letters": []}
    assert up.json("outbox", "list") == {"rows": []}
    assert up.json("dlq", "redrive", "--key", NOBODY) == {"keys": []}


@pytest.mark.parametrize(
    "command, exit_code, said",
    [
        (("dlq", "list", "--service", "no_service"), 2, "is none of gateway_service"),
        (("dlq", "show", "--service", "order_service", "999"), 1, "No record 999 is parked here"),
        (("dlq", "redrive"), 2, "name an ID"),
        (("dlq", "redrive", "7"), 2, "an ID goes with --service"),
        (("dlq", "discard", "7", "--service", "order_service"), 2, "--reason"),
        (("outbox", "redrive", "999", "--service", "order_service"), 1, "no row 999"),
        (("saga", "list", "--in", "GONE"), 1, "state"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(
    up: Folder, command: tuple[str, ...], exit_code: int, said: str
) -> None:
    ran = up.run(*command)
    assert ran.returncode == exit_code
    assert said in " ".join((ran.stdout + ran.stderr).split())
