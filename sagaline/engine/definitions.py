"""The definitions that an engine runs: by name and version, or by the message they start on."""

from collections.abc import Iterable, Iterator, Mapping

from sagaline.chassis.errors import PlatformError
from sagaline.engine.definition import DefinitionError, Saga


class UnknownDefinition(PlatformError):
    """Saga {name} of version {version} is not defined here: deploy the release that defines it."""

    status = 409


class Definitions:
    """Sagas by name and version, checked against the catalog's messages when they are loaded."""

    def __init__(self, sagas: Iterable[Saga], messages: Mapping[str, type]) -> None:
        self._by_version: dict[tuple[str, int], Saga] = {}
        self._starting: dict[type, Saga] = {}
        for saga in sagas:
            saga.check(messages)
            self._add(saga)

    def _add(self, saga: Saga) -> None:
        if (saga.name, saga.version) in self._by_version:
            raise DefinitionError(f"{saga.name} version {saga.version} is defined twice")
        self._by_version[saga.name, saga.version] = saga
        newest = self._starting.get(saga.input)
        if newest is not None and newest.name != saga.name:
            raise DefinitionError(f"{saga.name} and {newest.name} start on the same message")
        if newest is None or newest.version < saga.version:
            self._starting[saga.input] = saga

    def of(self, name: str, version: int) -> Saga:
        """The definition that a running saga stays on; raises UnknownDefinition."""
        try:
            return self._by_version[name, version]
        except KeyError:
            raise UnknownDefinition(name=name, version=version) from None

    def started_by(self, message: object) -> Saga | None:
        """The newest version of the definition whose input this message is, if there is one."""
        return self._starting.get(type(message))

    def __iter__(self) -> Iterator[Saga]:
        return iter(self._by_version.values())
