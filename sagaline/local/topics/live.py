"""Live replays, asked for at the topic's owner: it alone writes there."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

import httpx
from pydantic import BaseModel, ConfigDict

from sagaline.chassis.catalog import Topic
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.log_records import Spans
from sagaline.local.answers import Refused, problem_text
from sagaline.local.client import Client

POLL_S = 0.2


class NotLive(PlatformError):
    """{topic} is never replayed live: {reason}."""


class ReplayUnknown(PlatformError):
    """No service has a replay {id}: './sagactl topic replays' lists them."""


class Part(BaseModel):
    """How far a replay is in one partition."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    partition: int
    first: int
    next: int
    until: int


class LiveReplay(BaseModel):
    """A replay, as its service tells of it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: UUID
    topic: str
    state: str
    reason: str
    per_s: int
    partitions: tuple[Part, ...]
    sent: int
    passed: int
    skipped: int
    problem: str | None
    created_at: datetime
    ended_at: datetime | None

    @property
    def read(self) -> int:
        """Offsets that are behind it."""
        return sum(part.next - part.first for part in self.partitions)

    @property
    def total(self) -> int:
        """Offsets that it was asked for."""
        return sum(part.until - part.first for part in self.partitions)


def require_live(topic: Topic) -> None:
    """The topic may be replayed live. Raises NotLive."""
    # Here, since FastAPI and SQLAlchemy come with it: no other command is to wait for them.
    from sagaline.chassis.replay_api import why_never

    if reason := why_never(topic):
        raise NotLive(topic=topic.name, reason=reason)


async def begin(
    client: Client,
    topic: Topic,
    spans: Spans,
    *,
    replay_id: UUID,
    keys: Sequence[str],
    types: Sequence[str],
    per_s: int,
    reason: str,
) -> LiveReplay:
    """The topic's owner has begun the replay. Raises Refused, Unreachable."""
    body = {
        "topic": topic.name,
        "ranges": [
            {"partition": number, "first": span.first, "until": span.until}
            for number, span in sorted(spans.items())
        ],
        "keys": list(keys),
        "types": list(types),
        "per_s": per_s,
        "reason": reason,
    }
    answer = await client.ask(topic.owner, "PUT", f"/replays/{replay_id}", json=body, operator=True)
    return _replay(topic.owner, answer)


async def ended(
    client: Client,
    service: str,
    replay_id: UUID,
    *,
    tell: Callable[[LiveReplay], None] = lambda _: None,
) -> LiveReplay:
    """Wait until a replay is done or stopped; give it then."""
    while True:
        answer = await client.ask(service, "GET", f"/replays/{replay_id}", operator=True)
        replay = _replay(service, answer)
        tell(replay)
        if replay.state != "running":
            return replay
        await asyncio.sleep(POLL_S)


async def everywhere(client: Client, services: Sequence[str]) -> list[LiveReplay]:
    """Give the latest replays of these services, newest first."""
    answers = await asyncio.gather(
        *(client.ask(service, "GET", "/replays", operator=True) for service in services)
    )
    found: list[LiveReplay] = []
    for service, answer in zip(services, answers, strict=True):
        _require_success(service, answer)
        found += [LiveReplay.model_validate(each) for each in answer.json()]
    return sorted(found, key=lambda each: each.created_at, reverse=True)


async def change(
    client: Client, services: Sequence[str], replay_id: UUID, verb: str
) -> tuple[str, LiveReplay]:
    """Stop or resume a replay, whichever service has it; give both. Raises ReplayUnknown."""
    for service in services:
        path = f"/replays/{replay_id}/{verb}"
        answer = await client.ask(service, "POST", path, operator=True)
        if answer.status_code != httpx.codes.NOT_FOUND:
            return service, _replay(service, answer)
    raise ReplayUnknown(id=replay_id)


def _replay(service: str, answer: httpx.Response) -> LiveReplay:
    _require_success(service, answer)
    return LiveReplay.model_validate_json(answer.content)


def _require_success(service: str, answer: httpx.Response) -> None:
    if answer.is_error:
        text = problem_text(answer)
        raise Refused(service=service, status=answer.status_code, text=text)
