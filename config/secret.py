"""A secret: what nobody may print.  Texts, logs, tracebacks and JSON show it as ********.

One from a file is read at each reveal(), never earlier: a process that does not need it never reads
it, and a changed file counts from the next reveal() on.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

MASK = "********"
PLACEHOLDER = "..."


class ConfigurationError(ValueError):
    """Something that is set is wrong; the message is one line for the operator.

    The process stops with exit code 2.
    """


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A file that LEAVER_..._FILE names.

    `stamp` (inode and time of change) makes a rotated file unequal to what it was, so that reading
    the settings again notices; it is taken without reading the file.
    """

    variable: str
    path: Path
    stamp: tuple[int, int] | None

    @classmethod
    def at(cls, variable: str, path: str) -> Self:
        """The file as it is now; one that is missing shows itself when it is read."""
        absolute = Path(path).absolute()
        try:
            status = absolute.stat()
        except (OSError, ValueError):
            return cls(variable, absolute, None)
        return cls(variable, absolute, (status.st_ino, status.st_mtime_ns))

    def lines(self) -> tuple[str, ...]:
        """Its lines, at least one; raises ConfigurationError with variable and file."""
        try:
            text = self.path.read_text(encoding="utf-8")
        except OSError as error:
            raise self._error(f"cannot be read: {error.strerror}") from None
        except ValueError:
            raise self._error("is not UTF-8 text") from None
        lines = tuple(text.removesuffix("\n").splitlines())
        if not any(lines):
            raise self._error("is empty")
        return lines

    def only_line(self) -> str:
        """Its one line; raises ConfigurationError with variable and file."""
        first, *others = self.lines()
        if others:
            raise self._error("holds more than one line")
        try:
            return printable(first)
        except ValueError as error:
            raise self._error(str(error)) from None

    def _error(self, fault: str) -> ConfigurationError:
        return ConfigurationError(f"{self.variable}: {self.path} {fault}")


@dataclass(frozen=True, slots=True)
class Withheld:
    """Why this process cannot have the secret."""

    reason: str


@dataclass(frozen=True, slots=True, repr=False)
class Secret:
    """One secret: its text, the file that holds it, or the reason why it is withheld."""

    _held: str | SecretFile | Withheld

    def reveal(self) -> str:
        """The text itself, for the one place that needs it; may raise ConfigurationError."""
        match self._held:
            case str(text):
                return text
            case SecretFile() as file:
                return file.only_line()
            case Withheld(reason):
                raise ConfigurationError(reason)

    def __repr__(self) -> str:
        return MASK


def printable(text: str) -> str:
    """The text of a secret, checked; raises ValueError without showing it."""
    if not text:
        raise ValueError("is empty")
    if text == PLACEHOLDER:
        raise ValueError("is still the placeholder of the example; put the real one here")
    if text != text.strip() or not text.isprintable():
        raise ValueError("has a space at an end, a line break or another control character")
    return text
