"""Which services are ready to work, asked over HTTP; and what those that aren't are missing."""

import asyncio
from collections.abc import Mapping

import httpx

from sagaline.local.loopback import LoopbackTransport

ANSWER_TIMEOUT_S = 3.0


async def missing(urls: Mapping[str, str]) -> dict[str, str]:
    """Ask every service (name to URL) at once: what each one that is not ready lacks, in words."""
    # Neither proxies nor certificates have a part in talking to this machine.
    async with httpx.AsyncClient(
        transport=LoopbackTransport(timeout_s=ANSWER_TIMEOUT_S), trust_env=False
    ) as http:
        answers = await asyncio.gather(*(_lacks(http, url) for url in urls.values()))
    return {name: lack for name, lack in zip(urls, answers, strict=True) if lack is not None}


async def _lacks(http: httpx.AsyncClient, url: str) -> str | None:
    try:
        answer = await http.get(f"{url}/readyz")
    except httpx.TransportError as error:
        return "does not answer yet" if isinstance(error, httpx.ConnectError) else "is too slow"
    if answer.status_code == httpx.codes.OK:
        return None
    try:
        detail = answer.json().get("detail")
    except (ValueError, AttributeError):
        detail = None
    return str(detail or f"answers {answer.status_code}")
