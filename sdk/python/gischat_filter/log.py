"""Writes to the relay's log. The number of lines per second is limited; further lines are counted and dropped."""

from enum import Enum

from ._host import host


class Level(Enum):
    """The severity of a line."""

    DEBUG = 0
    INFO = 1
    WARN = 2
    ERROR = 3


def write(level: Level, text: str) -> None:
    """Writes a line."""
    host().write(level.value, text)


def debug(text: str) -> None:
    """Writes a line for the filter's author."""
    write(Level.DEBUG, text)


def info(text: str) -> None:
    """Writes a line worth knowing."""
    write(Level.INFO, text)


def warn(text: str) -> None:
    """Writes a line about something that the operator should look at."""
    write(Level.WARN, text)


def error(text: str) -> None:
    """Writes a line about something that failed."""
    write(Level.ERROR, text)
