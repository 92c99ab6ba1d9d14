"""What the tables of the settings are made of."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


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
