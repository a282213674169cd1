"""Databases and roles of services, made by the one SQL file that every environment runs."""

from collections.abc import Iterable
from importlib import resources

from sagaline.local.backing import PostgresServer


def provision(postgres: PostgresServer, services: Iterable[str]) -> None:
    """Every service has its database, `X_owner` and `X_app`; what was there stays.

    Both roles have the server's password: all of it is reachable from this machine only.
    """
    with resources.as_file(resources.files("sagaline.local") / "data" / "databases.sql") as script:
        for service in services:
            names = {
                "SAGALINE_SERVICE": service,
                "SAGALINE_APP_PASSWORD": postgres.password,
                "SAGALINE_OWNER_PASSWORD": postgres.password,
            }
            postgres.run_script(script, names)
