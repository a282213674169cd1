"""What shown commands name, as it exists on the platform that a test runs them on."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import schemas
from sagaline.chassis.log_records import Span
from sagaline.cli import place
from sagaline.local.topics import live
from tests.integration.cli.folder import Folder
from tests.integration.cli.set_aside import COMMANDS, park, parked, quarantine
from tests.integration.cli.test_db import execute

ORDERS = 12
ORDER = ("order", "create", "--customer", "somebody", "--currency", "EUR", "--line")
REPLAYED = "notifications.replies.v1"


@dataclass(frozen=True)
class Orders:
    """Orders whose sagas have ended."""

    confirmed: str
    rejected: str


@dataclass(frozen=True)
class Wanted:
    """One shown command, for which something is to exist until `after`."""

    folder: Folder
    orders: Orders
    words: Sequence[str]
    after: ExitStack

    def behind(self, option: str, otherwise: str) -> str:
        """What the command says with an option."""
        words = self.words
        return words[words.index(option) + 1] if option in words else otherwise

    @property
    def service(self) -> str:
        return self.behind("--service", "inventory_service")


def place_orders(folder: Folder) -> Orders:
    """A confirmed order, a rejected one, and some more, so that topics have records."""
    credit(folder, "somebody")
    shelve(folder, "SHOWN-1", 1000)
    for _ in range(ORDERS):
        placed(folder)
    orders = Orders(placed(folder), placed(folder, quantity=10_000))
    for order in (orders.confirmed, orders.rejected):
        folder.run("order", "watch", order)
    return orders


def placed(folder: Folder, *, quantity: int = 1) -> str:
    return str(folder.json(*ORDER, f"SHOWN-1={quantity}")["order_id"])


def credit(folder: Folder, customer: str) -> str:
    limit = ("--limit-minor", "100000000", "--currency", "EUR")
    assert folder.run("account", "set", customer, *limit).returncode == 0
    return customer


def shelve(folder: Folder, sku: str, units: int = 20) -> str:
    price = ("--price-minor", "4900", "--currency", "EUR")
    assert folder.run("stock", "set", sku, "--on-hand", str(units), *price).returncode == 0
    return sku


def _line(wanted: Wanted, shown: str) -> str:
    shelve(wanted.folder, shown.partition("=")[0])
    return shown


def _unreadable(wanted: Wanted) -> int:
    """A parked record that fails again when it is redriven."""
    key = str(uuid4())
    wanted.after.callback(_given_up, wanted, key)
    return park(wanted.folder, wanted.service, key=key)


def _given_up(wanted: Wanted, key: str) -> None:
    if parked(wanted.folder, wanted.service, key=key):
        _discard(wanted, "--key", key)


def _mended(wanted: Wanted) -> int:
    """A parked record that is handled when it is redriven: what stood before it is given up."""
    key = placed(wanted.folder)
    assert wanted.folder.run("order", "watch", key).returncode == 0
    wanted.after.callback(_given_up, wanted, key)
    _discard(wanted, str(park(wanted.folder, wanted.service, key=key, again=True)))
    return int(parked(wanted.folder, wanted.service, key=key)[0]["id"])


def _discard(wanted: Wanted, *which: str) -> None:
    arguments = ("--service", wanted.service, "--reason", "a test's")
    assert wanted.folder.run("dlq", "discard", *which, *arguments).returncode == 0


def _class(wanted: Wanted, identifier: int) -> str:
    shown = wanted.folder.json("dlq", "show", "--service", wanted.service, str(identifier))
    return str(shown["error_class"])


def _sandbox(wanted: Wanted) -> str:
    return str(wanted.folder.json("topic", "replay", COMMANDS["inventory_service"])["sandbox"])


def _bound(wanted: Wanted, which: str) -> str:
    """Where the fullest partition of the command's topic begins or ends."""
    described: Any = wanted.folder.json("topic", "describe", wanted.words[2])
    fullest = max(described["offsets"], key=lambda each: each["end"] - each["begin"])
    return f"{fullest['partition']}:{fullest[which]}"


def _replay(wanted: Wanted, *, stopped: bool = False) -> str:
    """A live replay that takes its time, of as many records as there are orders."""
    replay_id = uuid4()
    described: Any = wanted.folder.json("topic", "describe", REPLAYED)
    begun = place.ask(
        wanted.folder.state,
        lambda client: live.begin(
            client,
            schemas.CATALOG.topics[REPLAYED],
            {each["partition"]: Span(each["begin"], each["end"]) for each in described["offsets"]},
            replay_id=replay_id,
            keys=(),
            types=(),
            per_s=1,
            reason="to be stopped",
        ),
    )
    assert begun.state == "running"
    if stopped:
        assert wanted.folder.run("topic", "replay-stop", str(replay_id)).returncode == 0
        execute(wanted.folder, "UPDATE sagaline.replays SET per_s = 1000")
    return str(replay_id)


THINGS: Mapping[str, Callable[[Wanted, str], object]] = {
    "ORDER": lambda wanted, _: wanted.orders.confirmed,
    "REJECTED": lambda wanted, _: wanted.orders.rejected,
    "NEW_ORDER": lambda wanted, _: placed(wanted.folder),
    "CUSTOMER": lambda wanted, shown: credit(wanted.folder, shown),
    "SKU": lambda wanted, shown: shelve(wanted.folder, shown),
    "LINE": _line,
    "SANDBOX": lambda wanted, _: _sandbox(wanted),
    "BEGIN": lambda wanted, _: _bound(wanted, "begin"),
    "END": lambda wanted, _: _bound(wanted, "end"),
    "RUNNING_REPLAY": lambda wanted, _: _replay(wanted),
    "STOPPED_REPLAY": lambda wanted, _: _replay(wanted, stopped=True),
    "UNREADABLE": lambda wanted, _: _unreadable(wanted),
    "MENDED": lambda wanted, _: _mended(wanted),
    "UNREADABLE_CLASS": lambda wanted, _: _class(wanted, _unreadable(wanted)),
    "MENDED_CLASS": lambda wanted, _: _class(wanted, _mended(wanted)),
    "QUARANTINED": lambda wanted, _: quarantine(wanted.folder, wanted.service),
}
