"""What a load is to be, and its run: warm-up, window, and the books afterwards."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sagaline.local import books
from sagaline.local.client import Client, Json
from sagaline.local.load.closed_loop import ClosedLoop
from sagaline.local.load.course import Course
from sagaline.local.load.customers import Customers
from sagaline.local.load.open_loop import OpenLoop
from sagaline.local.load.reads import Reads
from sagaline.local.load.report import Report
from sagaline.local.load.window import Window
from sagaline.local.run_file import RunFile

QUIET_WITHIN_S = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A closed loop of `in_flight` orders, or where `rate_per_s` is given an open one.

    With `orders` the window ends with them, and as many as `warm_up_orders` are placed before; else
    it lasts `seconds` after `warm_up_s`.
    """

    in_flight: int = 64
    rate_per_s: float | None = None
    orders: int | None = None
    warm_up_orders: int = 0
    seconds: float = 60.0
    warm_up_s: float = 10.0
    reads_per_s: float | None = None
    declined_percent: float = 0.0


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a plan; `problems` are wrong books, and orders that ended wrongly or not."""

    report: Report
    reads: Reads | None
    course: Course
    problems: list[str]

    def figures(self) -> Json:
        """Give what is worth writing down, but for the course."""
        found: dict[str, object] = dict(self.report.figures())
        found["statuses"] = dict(self.report.statuses)
        found["sagas_ended_per_s"] = self.course.sagas_ended_per_s()
        if self.reads is not None:
            found["reads"] = self.reads.figures()
        return found | {"processes": self.course.processes(), "problems": self.problems}


async def run(client: Client, run_file: RunFile, plan: Plan, *, rng: random.Random) -> Result:
    """Place the orders of `plan`, and give what came of it. Raises the client's errors."""
    customers = Customers(client, rng=rng, declined_percent=plan.declined_percent)
    await customers.prepare()
    if plan.warm_up_orders:
        warming = ClosedLoop(customers, in_flight=plan.in_flight, window=Window())
        await warming.run(plan.warm_up_orders)
    window = Window(by_schedule=plan.rate_per_s is not None)
    course, reads = Course(client, run_file, window), None
    if plan.reads_per_s is not None:
        reads = Reads(client, customers.placed, rate_per_s=plan.reads_per_s, rng=rng)
    async with _beside(course, reads, window, plan):
        report = await _looped(customers, window, plan)
    problems = [*report.problems, *(await books.quiet(client, within_s=QUIET_WITHIN_S)).problems]
    return Result(report, reads, course, problems)


async def _looped(customers: Customers, window: Window, plan: Plan) -> Report:
    if plan.rate_per_s is not None:
        loop = OpenLoop(customers, rate_per_s=plan.rate_per_s, window=window)
        return await loop.run_for(plan.seconds, warm_up_s=plan.warm_up_s)
    closed = ClosedLoop(customers, in_flight=plan.in_flight, window=window)
    if plan.orders is not None:
        return await closed.run(plan.orders)
    return await closed.run_for(plan.seconds, warm_up_s=plan.warm_up_s)


@asynccontextmanager
async def _beside(
    course: Course, reads: Reads | None, window: Window, plan: Plan
) -> AsyncIterator[None]:
    """The course is followed, and orders are read, while the block runs."""
    tasks = [asyncio.create_task(course.follow())]
    if reads is not None:
        lasts_s = plan.warm_up_s + plan.seconds
        tasks.append(asyncio.create_task(reads.run_for(lasts_s, window=window)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for each in ended:
        if isinstance(each, Exception):
            raise each
