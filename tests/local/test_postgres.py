"""The embedded PostgreSQL: who it runs as, what a kill leaves, whom it lets in."""

import os
import random
import subprocess
from pathlib import Path

import asyncpg
import pytest

from sagaline.local import throwaway
from sagaline.local.errors import AlreadyRunning, ProvisioningFailed
from sagaline.local.ports import free_port
from sagaline.local.postgres import Postgres
from sagaline.local.provisioning import provision
from sagaline.local.unprivileged import Unprivileged


async def test_a_killed_server_comes_back_with_every_committed_row(folder: Path) -> None:
    with Postgres(folder, port=free_port(random.SystemRandom())) as server:
        server.execute("CREATE TABLE kept AS SELECT 7 AS n")
        server.kill()
        server.start()
        connection = await asyncpg.connect(server.url())
        assert await connection.fetchval("SELECT n FROM kept") == 7
        await connection.close()


def test_a_pid_that_was_given_to_another_process_does_not_keep_it_from_starting(
    folder: Path,
) -> None:
    runs_as = Unprivileged.needed()
    # PostgreSQL believes in any living process of its own user.
    stranger = subprocess.Popen(["sleep", "600"], user=runs_as.uid if runs_as else None)
    try:
        with Postgres(folder, port=free_port(random.SystemRandom())) as server:
            server.kill()
            data = server.directory / "data"
            for lock in (data / "postmaster.pid", data / f".s.PGSQL.{server.port}.lock"):
                _, _, rest = lock.read_text().partition("\n")
                lock.write_text(f"{stranger.pid}\n{rest}")
            server.start()
            server.execute("SELECT 1")
    finally:
        stranger.kill()
        stranger.wait()


def test_data_that_another_postgres_works_on_is_left_alone(folder: Path) -> None:
    with Postgres(folder, port=free_port(random.SystemRandom())) as server:
        (server.directory / "pid").unlink()
        second = Postgres(folder, port=free_port(random.SystemRandom()))
        with pytest.raises(AlreadyRunning):
            second.start()
        server.execute("SELECT 1")


async def test_nobody_gets_in_without_the_password() -> None:
    with throwaway.postgres(random.SystemRandom()) as server:
        for url in (server.url(), server.tcp_url()):
            with pytest.raises(asyncpg.InvalidPasswordError):
                await asyncpg.connect(url.replace(server.password, "guessed"))


async def test_a_folder_too_deep_for_a_socket_is_served_by_way_of_the_loopback_address(
    folder: Path,
) -> None:
    deep = folder / ("d" * 100)
    with Postgres(deep, port=free_port(random.SystemRandom())) as server:
        assert server.url() == server.tcp_url()
        connection = await asyncpg.connect(server.url())
        await connection.close()
        assert (server.directory / "secret").stat().st_mode & 0o077 == 0


async def test_a_service_may_enter_its_own_database_only_and_provisioning_can_be_repeated() -> None:
    with throwaway.postgres(random.SystemRandom()) as server:
        provision(server, ["order_service", "payment_service"])
        provision(server, ["order_service", "payment_service"])
        own = await asyncpg.connect(server.url("order_service", "order_service_app"))
        await own.close()
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await asyncpg.connect(server.url("payment_service", "order_service_app"))


def test_a_statement_that_fails_is_reported_with_postgresqls_words() -> None:
    with (
        throwaway.postgres(random.SystemRandom()) as server,
        pytest.raises(ProvisioningFailed, match="no_such_table"),
    ):
        server.execute("SELECT * FROM no_such_table")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root must give its rights away")
def test_as_root_a_folder_that_others_cannot_enter_has_a_stand_in_outside(folder: Path) -> None:
    runs_as = Unprivileged.needed()
    assert runs_as is not None
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    assert runs_as.directory_for(folder / "open") == folder / "open"
    stand_in = runs_as.directory_for(closed / "postgres")
    assert stand_in != closed / "postgres"
    assert stand_in == runs_as.directory_for(closed / "postgres")
    assert runs_as.can_reach(stand_in.parent)
