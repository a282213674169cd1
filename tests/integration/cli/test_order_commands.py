"""`sagactl order` on a running platform: what is placed is listed, watched and seen to end."""

import json
from uuid import uuid4

import pytest

from tests.integration.cli.folder import Folder

pytestmark = pytest.mark.timeout(300)


def create(up: Folder, line: str, *more: str, customer: str = "alice") -> dict[str, object]:
    options = ("--customer", customer, "--currency", "EUR", "--line", line, "--json", *more)
    created = up.run("order", "create", *options)
    assert created.stdout, created.stderr
    document = json.loads(created.stdout)
    assert isinstance(document, dict)
    return document


def a_customer() -> str:
    return f"customer-{uuid4()}"


def test_an_order_can_be_waited_for_whichever_way_it_ends(up: Folder, lamp: str) -> None:
    assert create(up, f"{lamp}=1", "--wait")["status"] == "CONFIRMED"
    assert create(up, "NOBODY-SELLS-THIS=1", "--wait")["status"] == "REJECTED"


def test_an_order_is_watched_until_its_saga_has_ended(up: Folder, lamp: str) -> None:
    order = str(create(up, f"{lamp}=1")["order_id"])
    watched = up.run("order", "watch", order, "--json")
    documents = [json.loads(line) for line in watched.stdout.splitlines()]
    assert watched.returncode == 0
    assert (documents[-1]["order"]["status"], documents[-1]["saga"]["state"]) == (
        "CONFIRMED",
        "COMPLETED",
    )
    sequences = [document["saga"]["sequence"] for document in documents]
    assert sequences == sorted(set(sequences))
    shown = up.run("order", "watch", order)  # it has ended: that is told at once
    assert (shown.returncode, len(shown.stdout.splitlines())) == (0, 1)
    assert "CONFIRMED" in shown.stdout


def test_watching_a_rejected_order_exits_3_and_an_unknown_one_1(up: Folder) -> None:
    order = str(create(up, "NOBODY-SELLS-THIS=1")["order_id"])
    watched = up.run("order", "watch", order)
    assert watched.returncode == 3
    assert "unknown_sku" in watched.stdout
    unknown = up.run("order", "watch", str(uuid4()))
    assert unknown.returncode == 1
    assert "No order" in unknown.stderr


def test_orders_are_listed_page_by_page(up: Folder, lamp: str) -> None:
    customer = a_customer()
    placed = [create(up, f"{lamp}=1", customer=customer)["order_id"] for _ in range(3)]
    first = up.json("order", "list", "--customer", customer, "--limit", "2")
    rest = up.json(
        "order", "list", "--customer", customer, "--limit", "2", "--cursor", str(first["next"])
    )
    assert [each["order_id"] for page in (first, rest) for each in page["orders"]] == placed[::-1]  # type: ignore[attr-defined]  # JSON
    shown = up.run("order", "list", "--customer", customer, "--limit", "2")
    assert shown.returncode == 0
    assert f"--cursor {first['next']}" in shown.stdout.replace("\n", "")
    assert all(len(line) <= 80 for line in shown.stdout.splitlines()[:-1])


def test_orders_are_listed_by_how_they_stand(up: Folder) -> None:
    customer = a_customer()
    create(up, "NOBODY-SELLS-THIS=1", "--wait", customer=customer)
    for status, count in (("REJECTED", 1), ("CONFIRMED", 0)):
        page = up.json("order", "list", "--customer", customer, "--status", status)
        assert len(page["orders"]) == count  # type: ignore[arg-type]  # JSON
