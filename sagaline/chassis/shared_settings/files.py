"""Settings from files, for secrets: VARIABLE_FILE names a file whose content is the value."""

import os
from pathlib import Path
from typing import Any, Final

from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from sagaline.chassis.errors import PlatformError

SUFFIX: Final = "_FILE"


class BadSettingFile(PlatformError):
    """{variable}: {reason}."""


class FileSource(PydanticBaseSettingsSource):
    """Each setting of which a variable `<its own>_FILE` is in the environment.

    A line's end behind the value is not part of it, as editors leave one. Raises BadSettingFile.
    """

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The content of the field's file; None if none is named."""
        variable = variable_of(self.settings_cls, field_name)
        named = os.environ.get(variable + SUFFIX)
        if not named:
            return None, field_name, False
        if os.environ.get(variable):
            raise BadSettingFile(
                variable=variable + SUFFIX, reason=f"{variable} is set, too; take one of them away"
            )
        return _content(variable + SUFFIX, Path(named)), _key(field, field_name), False

    def __call__(self) -> dict[str, Any]:
        """All of them."""
        found = (
            self.get_field_value(field, name)
            for name, field in self.settings_cls.model_fields.items()
        )
        return {key: value for value, key, _ in found if value is not None}


def variable_of(kind: type[BaseSettings], field: str) -> str:
    """The environment variable that sets `field`."""
    alias = kind.model_fields[field].validation_alias
    assert alias is None or isinstance(alias, str), (field, alias)
    return alias or f"{kind.model_config.get('env_prefix', '')}{field}".upper()


def _key(field: FieldInfo, name: str) -> str:
    return field.validation_alias if isinstance(field.validation_alias, str) else name


def _content(variable: str, path: Path) -> str:
    try:
        return path.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise BadSettingFile(variable=variable, reason=f"{path} can't be read: {reason}") from error
