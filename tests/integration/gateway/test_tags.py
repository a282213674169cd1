"""What a client has already is not sent again."""

from tests.integration.gateway.stage import Gateway
from tests.integration.gateway.test_projection import placed, project, snapshot


async def test_an_order_that_has_not_changed_is_not_sent_again(gateway: Gateway) -> None:
    order = await placed(gateway)
    for path in (f"/orders/{order}", f"/orders/{order}/saga"):
        first = await gateway.client.get(path)
        known = {"If-None-Match": first.headers["etag"]}
        again = await gateway.client.get(path, headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]


async def test_an_order_that_has_changed_is_sent_with_another_tag(gateway: Gateway) -> None:
    order = await placed(gateway)
    for path in (f"/orders/{order}", f"/orders/{order}/saga"):
        known = {"If-None-Match": (await gateway.client.get(path)).headers["etag"]}
        sequence = 1 if path.endswith(order) else 2
        await project(gateway, snapshot(order, sequence))
        changed = await gateway.client.get(path, headers=known)
        assert changed.status_code == 200
        assert changed.headers["etag"] != known["If-None-Match"]


async def test_who_waits_for_the_end_and_has_it_is_told_so(gateway: Gateway) -> None:
    order = await placed(gateway)
    await project(gateway, snapshot(order, 3, state="COMMITTED", verdict="committed"))
    tag = (await gateway.client.get(f"/orders/{order}")).headers["etag"]
    wish = {"If-None-Match": tag, "Prefer": "wait=30"}
    assert (await gateway.client.get(f"/orders/{order}", headers=wish)).status_code == 304
