"""Where a range of records begins or ends, as people write it: `3:120`, `120`, a time, `10m`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from sagaline.chassis.errors import PlatformError
from sagaline.chassis.log_reader import LogReader
from sagaline.chassis.log_records import Span, Spans

OFFSET: Final = re.compile(r"(?:([0-9]{1,9}):)?([0-9]{1,18})")
AGO: Final = re.compile(r"([0-9]{1,6})(s|m|h|d)")
UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class BadBound(PlatformError):
    """{text!r} is no place in a topic: write an offset (120, or 3:120 for partition 3), a time
    (2026-11-22T10:30:00Z), or how long ago (90s, 10m, 2h, 1d).
    """


class BoundsApart(PlatformError):
    """The range begins in partition {first} and ends in partition {until}: name one."""


class NoSuchPartition(PlatformError):
    """{topic} has no partition {partition}: its partitions are 0 to {last}."""


@dataclass(frozen=True, slots=True)
class At:
    """An offset, of one partition or of each."""

    offset: int
    partition: int | None = None


Bound: TypeAlias = At | datetime


def parse(text: str, *, now: datetime) -> Bound:
    """Give what `text` means at `now`; a time without a zone is UTC. Raises BadBound."""
    if found := OFFSET.fullmatch(text):
        partition, offset = found.groups()
        return At(int(offset), None if partition is None else int(partition))
    try:
        if found := AGO.fullmatch(text):
            return now - timedelta(**{UNITS[found[2]]: int(found[1])})
        moment = datetime.fromisoformat(text)
        aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
        return aware.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BadBound(text=text) from None


async def spans(reader: LogReader, first: Bound | None, until: Bound | None) -> dict[int, Span]:
    """Give the range in offsets, by partition; what the log doesn't hold is not in it.

    Without `first` it begins where the log does, without `until` it ends where the log does now.
    Raises NoSuchPartition, BoundsApart.
    """
    extent = await reader.extent()
    named = {bound.partition for bound in (first, until) if isinstance(bound, At)} - {None}
    if len(named) == 2:
        assert isinstance(first, At) and isinstance(until, At), (first, until)  # noqa: PT018
        raise BoundsApart(first=first.partition, until=until.partition)
    for partition in named - extent.keys():
        raise NoSuchPartition(topic=reader.topic, partition=partition, last=max(extent))
    begins, ends = await _offsets(reader, first), await _offsets(reader, until)
    return {
        number: clipped(span, begins.get(number), ends.get(number))
        for number, span in extent.items()
        if not named or number in named
    }


def clipped(extent: Span, first: int | None, until: int | None) -> Span:
    """Give what of the log lies from `first` up to `until`; None is the log's own bound."""
    begin = extent.first if first is None else min(max(extent.first, first), extent.until)
    end = extent.until if until is None else min(until, extent.until)
    return Span(begin, max(begin, end))


def total(wanted: Spans) -> int:
    """How many offsets these are; as many records, where the log has no gaps."""
    return sum(len(span) for span in wanted.values())


async def _offsets(reader: LogReader, bound: Bound | None) -> Mapping[int, int]:
    """By partition, where the bound says one."""
    match bound:
        case None:
            return {}
        case At(offset=offset, partition=None):
            return dict.fromkeys(await reader.extent(), offset)
        case At(offset=offset, partition=int(partition)):
            return {partition: offset}
        case datetime():
            return await reader.offsets_at(bound)
    raise AssertionError(bound)
