"""The services' HTTP, as the command, the demo, the load and the tests use it."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from math import ceil
from types import TracebackType
from typing import Self
from uuid import UUID

import httpx

from sagaline.chassis.errors import PlatformError
from sagaline.local import answers, event_stream
from sagaline.local.errors import NoSuchService
from sagaline.local.loopback import TIMEOUT, LoopbackTransport
from sagaline.local.views import Account, NewOrder, Order, Saga, Shelf

TIMEOUT_S = 10.0
WAIT_MAX_S = 30  # the longest that the gateway keeps a request waiting
POLL_S = 0.05
GATEWAY = "gateway_service"
ORDER, INVENTORY, PAYMENT = "order_service", "inventory_service", "payment_service"
NOTIFICATION, ORCHESTRATOR = "notification_service", "saga_orchestrator"

Json = Mapping[str, object]


class Unreachable(PlatformError):
    """{service} does not answer at {url}: './sagactl status' tells more."""


class NotEnded(PlatformError):
    """Order {order_id} is still {status} after {within_s} s: './sagactl saga get' shows why."""


class Client:
    """Speaks to the services at `urls` (name to URL); one per event loop, closed after use.

    At `operator_urls` the services answer their operators. An answer takes `timeout_s` at most.
    """

    def __init__(
        self,
        urls: Mapping[str, str],
        operator_urls: Mapping[str, str] | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._urls = urls
        self._operator_urls = operator_urls or {}
        self._timeout_s = timeout_s
        # Neither proxies nor certificates have a part in talking to this machine.
        transport = LoopbackTransport(timeout_s=timeout_s)
        self._http = httpx.AsyncClient(transport=transport, trust_env=False)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def place(self, order: NewOrder, *, key: str | None = None) -> UUID:
        """Place an order: accepted for good under the id that is returned. Raises Refused."""
        answer = await self.post_order(order.model_dump_json().encode(), key=key)
        return UUID(answers.body(GATEWAY, answer)["order_id"])

    async def place_and_wait(
        self, order: NewOrder, *, wait_s: int, key: str | None = None
    ) -> Order | UUID:
        """Place an order: as it ended, or its id if it hasn't in that time. Raises Refused."""
        answer = await self.post_order(order.model_dump_json().encode(), key=key, wait_s=wait_s)
        if answer.status_code == httpx.codes.OK:
            return Order.model_validate_json(answer.content)
        return UUID(answers.body(GATEWAY, answer)["order_id"])

    async def post_order(
        self, body: bytes, *, key: str | None = None, wait_s: int = 0
    ) -> httpx.Response:
        """Post any bytes to the gateway's orders; the answer as it came."""
        headers = {"content-type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        return await self.ask(
            GATEWAY, "POST", "/orders", content=body, headers=headers, wait_s=wait_s
        )

    async def order(self, order_id: UUID, *, wait_s: int = 0) -> Order:
        """Give an order as the gateway shows it: now, or at its end within that time.

        Raises NotFound.
        """
        answer = await self.ask(GATEWAY, "GET", f"/orders/{order_id}", wait_s=wait_s)
        answers.require_found(GATEWAY, answer)
        return Order.model_validate_json(answer.content)

    def progress(self, order_id: UUID) -> AsyncIterator[Json]:
        """Give each newer state of an order and its saga (a `Progress`), until the saga has ended.

        A stream that breaks off is opened again, and again while the gateway is away. Raises
        NotFound, and Refused where the gateway lets nobody watch.
        """
        return event_stream.followed(GATEWAY, f"{self._urls[GATEWAY]}/orders/{order_id}/events")

    async def saga(self, order_id: UUID) -> Saga:
        """Give an order's saga as the gateway shows it now. Raises NotFound: not begun, perhaps."""
        return Saga.model_validate(await self.get(GATEWAY, f"/orders/{order_id}/saga"))

    async def ended(self, order_id: UUID, *, within_s: float) -> Order:
        """Wait until the customer's answer is final; give the order then. Raises NotEnded."""
        deadline_s = time.monotonic() + within_s
        while True:
            asked_s = time.monotonic()
            wait_s = min(max(ceil(deadline_s - asked_s), 1), WAIT_MAX_S)
            order = await self.order(order_id, wait_s=wait_s)
            if order.has_ended:
                return order
            if time.monotonic() > deadline_s:
                raise NotEnded(order_id=order_id, status=order.status, within_s=within_s)
            if time.monotonic() < asked_s + POLL_S:  # the gateway lets nobody wait now
                await asyncio.sleep(POLL_S)

    async def set_stock(self, sku: str, *, on_hand: int, price_minor: int, currency: str) -> Shelf:
        """The shelf holds `on_hand` units at that price."""
        body = {"on_hand": on_hand, "price_minor": price_minor, "currency": currency}
        return Shelf.model_validate(await self.put(INVENTORY, f"/stock/{sku}", body))

    async def set_account(self, customer_id: str, *, limit_minor: int, currency: str) -> Account:
        """The customer has that credit."""
        body = {"limit_minor": limit_minor, "currency": currency}
        return Account.model_validate(await self.put(PAYMENT, f"/accounts/{customer_id}", body))

    async def notifications(self, order_id: UUID) -> list[str]:
        """Tell what was sent to the customer about an order: confirmation, rejection."""
        answer = await self.ask(NOTIFICATION, "GET", f"/notifications?order_id={order_id}")
        answers.require_success(NOTIFICATION, answer)
        return [str(sent["kind"]) for sent in answer.json()]

    async def get(self, service: str, path: str, *, operator: bool = False) -> Json:
        """Give the JSON at `path`. Raises NotFound, Refused, Unreachable."""
        answer = await self.ask(service, "GET", path, operator=operator)
        answers.require_found(service, answer)
        return answers.body(service, answer)

    async def post(self, service: str, path: str, body: object, *, operator: bool = False) -> Json:
        """Post `body` to `path`; give the answer's JSON. Raises NotFound, Refused, Unreachable."""
        answer = await self.ask(service, "POST", path, json=body, operator=operator)
        answers.require_found(service, answer)
        return answers.body(service, answer)

    async def put(self, service: str, path: str, body: object) -> Json:
        """Put `body` at `path`; give the answer's JSON. Raises Refused, Unreachable."""
        return answers.body(service, await self.ask(service, "PUT", path, json=body))

    async def ask(
        self,
        service: str,
        method: str,
        path: str,
        *,
        json: object = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        wait_s: int = 0,
        operator: bool = False,
    ) -> httpx.Response:
        """Send one request, an `operator`'s to the port for these; the answer as it came.

        `wait_s`: it is asked to wait for an order's end, for so long at most. Raises Unreachable,
        or NoSuchService.
        """
        urls = self._operator_urls if operator else self._urls
        if service not in urls:
            raise NoSuchService(service=service)
        url = urls[service]
        if wait_s:
            headers = {**(headers or {}), "Prefer": f"wait={wait_s}"}
        try:
            return await self._http.request(
                method,
                url + path,
                json=json,
                content=content,
                headers=headers,
                extensions={TIMEOUT: self._timeout_s + wait_s},
            )
        except httpx.TransportError as error:
            raise Unreachable(service=service, url=url) from error
