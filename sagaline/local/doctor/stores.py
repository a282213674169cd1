"""PostgreSQL, and in it each service's tables, its clock, and what waits there for a person."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from sagaline.local.databases import DatabaseAway, Databases, Look
from sagaline.local.doctor.finding import STATUS, Finding, unless, wrong

SKEW_MAX = timedelta(seconds=1)


async def examine(
    databases: Databases, services: Sequence[str], now: Callable[[], datetime]
) -> list[Finding]:
    """Look at the database of each service, at all of them at once; `now` is our clock."""
    found = await asyncio.gather(*(_look(databases, service, now) for service in services))
    looks = [each for each in found if isinstance(each, Look)]
    faults = [each for each in found if isinstance(each, Finding)]
    findings = unless(faults, "PostgreSQL", f"answers, {len(looks)} databases")
    if looks:
        findings += unless(map(_behind, _not_reached(looks)), "tables", "those of this release")
        findings += _clocks(looks)
        findings += unless(_set_aside(looks), "set aside", "nothing is parked or quarantined")
    return findings


async def _look(databases: Databases, service: str, now: Callable[[], datetime]) -> Look | Finding:
    try:
        return await databases.look(service, now)
    except DatabaseAway as error:
        return wrong("PostgreSQL", str(error), STATUS)


def _not_reached(looks: list[Look]) -> list[Look]:
    return [look for look in looks if not look.revisions.reached]


def _behind(look: Look) -> Finding:
    service = look.revisions.service
    schemas = [at.schema for at in look.revisions.standings if not at.reached]
    text = f"{service} is behind in schema {', '.join(schemas)}"
    return wrong("tables", text, f"./sagactl db upgrade --service {service}")


def _clocks(looks: list[Look]) -> list[Finding]:
    skew = max((look.clock_ahead for look in looks), key=abs)
    text = f"the database's is {skew.total_seconds():+.1f} s from this machine's"
    remedy = "set both by NTP: timers run by the database's clock, messages tell ours"
    faults = [wrong("clocks", text, remedy)] if abs(skew) > SKEW_MAX else []
    return unless(faults, "clocks", "the database's and this machine's agree")


def _set_aside(looks: list[Look]) -> Iterator[Finding]:
    for look in looks:
        service = look.revisions.service
        if look.parked:
            text = f"{service}: {look.parked} parked"
            yield wrong("set aside", text, f"./sagactl dlq list --service {service}")
        if look.quarantined:
            text = f"{service}: {look.quarantined} of its outbox in quarantine"
            yield wrong("set aside", text, f"./sagactl outbox list --service {service}")
