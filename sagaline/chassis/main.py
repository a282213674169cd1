"""`python -m <service> run|migrate|topics|config|openapi`, for every service the same."""

import argparse
import asyncio
import gc
import json
import os
import sys
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import asdict
from typing import NoReturn

import uvloop
from pydantic import ValidationError

from sagaline.chassis import environment, logs, migrate, schema_topic, topics
from sagaline.chassis.codec import Codec
from sagaline.chassis.errors import PlatformError
from sagaline.chassis.patience import patiently
from sagaline.chassis.service import Service
from sagaline.chassis.shared_settings.files import BadSettingFile

WRONG_USE = 2
# By so many more were made than freed when the collector looks for cycles. What is in flight is no
# garbage: after Python's 700 the gateway spent a third of its time looking through it for nothing.
YOUNG_OBJECTS = 50_000
VERBS = {
    "run": "serve until SIGTERM or SIGINT",
    "migrate": "bring the database's tables up to date",
    "topics": "create the topics that this service owns, and publish the schemas it writes in",
    "config": "print every setting as it is in force, and where from, without passwords",
    "openapi": "print the OpenAPI document",
}


def main(factory: Callable[[], Service], arguments: Sequence[str] | None = None) -> NoReturn:
    """Do what the command line asks, and exit: 0 done, 1 failed, 2 wrong use or setting."""
    given = _parse(arguments)
    verb, service = str(given.verb), made(factory)
    match verb:
        case "config":
            _print_settings(service, as_json=given.json)
        case "openapi":
            print(json.dumps(service.application().openapi(), indent=2))  # noqa: T201  # as above
        case _:
            logs.configure(service.settings)
            work = {"run": Service.run, "migrate": migrated, "topics": created}[verb]
            _finish(service, work(service))
    sys.exit(0)


async def migrated(service: Service) -> None:
    """The database's tables are those of this release."""
    settings, log = service.settings, logs.logger(service.name)
    engine = migrate.open_engine(
        settings.migration_url.get_secret_value(),
        connect_timeout_s=settings.database_timeout_ms / 1000,
        statement_timeout_s=settings.migration_timeout_ms / 1000,
    )
    try:
        await patiently(
            lambda: migrate.upgrade(
                engine,
                migrate.chains(service.name),
                lock_timeout_ms=settings.lock_timeout_ms,
                upgraded=lambda schema, to: log.info("migrated", schema=schema, revision=to),
            ),
            what=settings.shown("migration_url"),
            wait_ms=settings.start_wait_ms,
            log=log,
            stopping=asyncio.Event(),
        )
    finally:
        await engine.dispose()
    log.info("tables are up to date")


async def created(service: Service) -> None:
    """The topics that the service owns exist, and the schemas that it writes in are published."""
    settings, log = service.settings, logs.logger(service.name)

    async def work() -> None:
        made = await topics.create(
            service.catalog,
            service=service.name,
            bootstrap=settings.kafka_bootstrap,
            partitions=settings.topic_partitions,
            replicas=settings.topic_replicas,
            timeout_ms=settings.kafka_request_timeout_ms,
        )
        log.info("topics stand", created=made.created, stood=made.stood)
        published = await schema_topic.publish(
            Codec(service.catalog),
            service=service.name,
            bootstrap=settings.kafka_bootstrap,
            replicas=settings.topic_replicas,
            timeout_ms=settings.kafka_request_timeout_ms,
        )
        log.info("schemas are published", new=published)

    await patiently(
        work,
        what=f"Kafka at {settings.kafka_bootstrap}",
        wait_ms=settings.start_wait_ms,
        log=log,
        stopping=asyncio.Event(),
    )


def _print_settings(service: Service, *, as_json: bool) -> None:
    if as_json:
        found = environment.shown(service.settings, os.environ)
        text = json.dumps([asdict(each) for each in found], indent=2)
    else:
        text = "\n".join(environment.listing(service.settings, os.environ))
    print(text)  # noqa: T201  # its purpose


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description="One service of the platform; it is set by environment variables (see config)."
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="|".join(VERBS))
    for verb, text in VERBS.items():
        added = verbs.add_parser(verb, help=text, description=f"{text.capitalize()}.")
        if verb == "config":
            added.add_argument("--json", action="store_true", help="for programs")
    return parser.parse_args(arguments)


def made(factory: Callable[[], Service]) -> Service:
    """The service; what is wrong in its settings ends the program, all of it at once."""
    try:
        service = factory()
    except BadSettingFile as error:
        complaints = [str(error)]
    except ValidationError as error:
        complaints = environment.complaints(error)
    else:
        complaints = environment.unknown(type(service.settings), os.environ)
        if not complaints:
            return service
    print("Settings can't be used:", *complaints, sep="\n  ", file=sys.stderr)  # noqa: T201
    sys.exit(WRONG_USE)


def _finish(service: Service, work: Coroutine[object, object, None]) -> None:
    """Run `work` to its end; an error that operation brings about is one line, not a trace."""
    log = logs.logger(service.name)
    # What the imports made lives as long as the process. Out of the collector's sight, it costs
    # neither a pause now and then nor, at the exit, 0.4 s of a core in each of all processes.
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(work)
    except PlatformError as error:
        log.error("failed", error=type(error).__name__, reason=str(error))
    except Exception:  # the top of the program
        log.exception("failed")
    else:
        return
    sys.exit(1)
