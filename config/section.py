"""What the tables of the settings are made of."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from config.environment import is_secret
from config.secret import Secret


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one setting beside the others; `value` is None where nobody may see it."""

    key: str
    value: str | None
    sentence: str


class Section(BaseModel):
    """One table of the file.  A default is written as in the file, and checked like a value."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True
    )


def setting(
    meaning: str, default: Any = ..., *, ge: int | None = None, le: int | None = None
) -> Any:
    """A setting, its default and its limits; without a default it must be set."""
    return Field(default, description=meaning, ge=ge, le=le)


def secrets_of(section: Section) -> Iterator[tuple[str, Secret]]:
    """The name and the secret of each of its settings that nobody may see, as far as it is set."""
    for name, field in type(section).model_fields.items():
        value = getattr(section, name)
        if is_secret(field) and value is not None:
            yield from ((name, each) for each in (value if isinstance(value, tuple) else (value,)))
