"""The kit inside a component: connects generated bindings to the kit, and the filter to the contract's functions.

A running component has no files, so nothing can be imported then. Everything that is needed is imported at the top of
this module and becomes part of the image that the build takes.
"""

import io
import json
import sys
from types import ModuleType
from typing import Any

from componentize_py_types import Err  # type: ignore[import-not-found]
from wit_world import exports  # type: ignore[import-not-found]
from wit_world.imports import clock, log, regex, room, store, types  # type: ignore[import-not-found]

from . import _host
from ._filter import Filter
from ._types import Action, Hold, Message, Pass, Reject, Replace, Sender, Shadow, Verdict
from .regex import PatternError

_LEVELS = list(log.Level)


class _Pattern:
    def __init__(self, pattern: Any) -> None:
        self._pattern = pattern
        self.is_match = pattern.is_match
        self.replace_all = pattern.replace_all

    def find(self, text: str) -> tuple[int, int] | None:
        span = self._pattern.find(text)
        return None if span is None else (span.start, span.end)

    def find_all(self, text: str) -> list[tuple[int, int]]:
        return [(span.start, span.end) for span in self._pattern.find_all(text)]


class _Relay:
    now = staticmethod(clock.now)
    get = staticmethod(store.get)
    set = staticmethod(store.set)
    add = staticmethod(store.add)
    room_members = staticmethod(room.members)
    room_names = staticmethod(room.names)

    def write(self, level: int, text: str) -> None:
        log.write(_LEVELS[level], text)

    def compile(self, expression: str) -> _Pattern:
        try:
            return _Pattern(regex.Pattern.compile(expression))
        except Err as error:
            raise PatternError(error.value) from None


def _action(action: Action) -> Any:
    match action:
        case Pass():
            return types.Action_Pass()
        case Replace(text):
            return types.Action_Replace(text)
        case Hold():
            return types.Action_Hold()
        case Shadow():
            return types.Action_Shadow()
        case Reject():
            return types.Action_Reject()


def _verdict(verdict: Verdict) -> Any:
    if not isinstance(verdict, Verdict):
        raise TypeError(f"a check must return a verdict, not {verdict!r}")
    sanction = verdict.sanction
    return types.Verdict(
        _action(verdict.action),
        verdict.reason,
        list(verdict.labels),
        None if sanction is None else types.Sanction(sanction.kind, sanction.seconds),
    )


def _sender(sender: Any) -> Sender:
    return Sender(
        sender.connection,
        sender.address,
        sender.registered,
        sender.seconds_connected,
        sender.accepted,
        sender.refused,
        sender.trusted,
    )


class _LogStream(io.TextIOBase):
    """Redirects `print` to the log."""

    def write(self, text: str) -> int:
        if text.strip():
            log.write(log.Level.INFO, text)
        return len(text)


def _report(error: Exception) -> None:
    """Logs an error and where it was raised. `traceback` cannot be used: it reads source files."""
    at, where = error.__traceback__, ""
    while at is not None:
        where = f"{at.tb_frame.f_code.co_filename.rpartition('/')[2]}:{at.tb_lineno}: "
        at = at.tb_next
    log.write(log.Level.ERROR, f"{where}{type(error).__name__}: {error}")


def _filter_of(module: ModuleType) -> type[Filter]:
    found = [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Filter) and thing.__module__ == module.__name__
    ]
    if len(found) != 1:
        raise TypeError(f"filter.py has {len(found)} subclasses of Filter; it must have one")
    return found[0]


def guest_of(module: ModuleType) -> type:
    """Returns the class of exports for the one filter of a module."""
    kind = _filter_of(module)
    _host.enter(_Relay())
    sys.stdout = _LogStream()
    # Created now, so that a bad description fails the build and not the relay.
    description = types.Description(kind.name, kind.version, list(kind.kinds), kind.hooks(), kind.payload)

    # Outside of `Guest`, because componentize-py creates a new `Guest` for each call.
    filter = kind()

    class Guest(exports.Guest):  # type: ignore[misc]
        def describe(self) -> Any:
            return description

        def configure(self, settings: str) -> None:
            try:
                filter.configure(json.loads(settings))
            except ValueError as error:
                raise Err(str(error)) from None
            except Exception as error:
                _report(error)
                raise Err(f"{type(error).__name__}: {error}") from None

        def check(self, m: Any, sender: Any) -> Any:
            message = Message(m.id, m.room, m.author, m.kind, m.text, m.folded, m.avatar, m.payload, m.at)
            try:
                return _verdict(filter.check(message, _sender(sender)))
            except Exception as error:
                _report(error)
                raise

        def check_nickname(self, nickname: str, room: str, sender: Any) -> Any:
            try:
                return _verdict(filter.check_nickname(nickname, room, _sender(sender)))
            except Exception as error:
                _report(error)
                raise

    return Guest
