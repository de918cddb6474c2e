"""Lines in the relay's log. So many a second, the rest is counted and dropped."""

from enum import Enum

from ._host import host


class Level(Enum):
    """How much a line matters."""

    DEBUG = 0
    INFO = 1
    WARN = 2
    ERROR = 3


def write(level: Level, text: str) -> None:
    """Writes a line."""
    host().write(level.value, text)


def debug(text: str) -> None:
    """Writes a line that only matters to somebody who looks for a fault."""
    write(Level.DEBUG, text)


def info(text: str) -> None:
    """Writes a line."""
    write(Level.INFO, text)


def warn(text: str) -> None:
    """Writes a line about something that the operator should look at."""
    write(Level.WARN, text)


def error(text: str) -> None:
    """Writes a line about something that failed."""
    write(Level.ERROR, text)
