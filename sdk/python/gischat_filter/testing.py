"""Native tests of a filter, in an ordinary Python process: no component, no relay.

    filter = Harness(MyFilter, {"words": ["spam"]})
    assert filter.check("buy spam").action == Reject()
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import _host
from ._emulation import Emulation
from ._filter import Filter
from ._types import Message, Replace, Sender, Verdict, fold, passed
from .log import Level

_START = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


def somebody(**fields: Any) -> Sender:
    """A sender who has been connected for an hour. `fields` replace the defaults."""
    known: dict[str, Any] = {
        "connection": 1,
        "address": "a1",
        "registered": False,
        "seconds_connected": 3_600,
        "accepted": 10,
        "refused": 0,
        "trusted": False,
    }
    return Sender(**(known | fields))


class Harness:
    """A filter and the emulated relay around it.

    With `fresh`, each check runs in a new instance, as it may in the relay: only the store lasts.
    """

    def __init__(
        self,
        filter: type[Filter],
        settings: Mapping[str, Any] | None = None,
        *,
        at: datetime = _START,
        fresh: bool = False,
    ) -> None:
        self._kind = filter
        # As JSON, like the relay.
        self._settings = json.dumps(dict(settings or {}))
        self._fresh = fresh
        self._relay = Emulation(_milliseconds(at))
        self._ids = 0
        self._filter = self._instance()

    @property
    def log(self) -> list[tuple[Level, str]]:
        """The lines that the filter has logged."""
        return self._relay.lines

    @property
    def now(self) -> datetime:
        """The time. Only `advance` and the `at` of a check change it."""
        return datetime.fromtimestamp(self._relay.at / 1_000, timezone.utc)

    def advance(self, seconds: float) -> None:
        """Advances the clock."""
        self._relay.at += round(seconds * 1_000)

    def in_room(self, members: int, names: list[str] | None = None) -> None:
        """Sets the number of connections in the room and its registered nicknames."""
        self._relay.members, self._relay.names = members, list(names or [])

    def check(
        self,
        text: str = "",
        sender: Sender | None = None,
        *,
        author: str = "jane",
        room: str = "QGIS",
        kind: str = "text",
        avatar: str | None = None,
        payload: str | None = None,
        at: datetime | None = None,
    ) -> Verdict:
        """Checks a message. `at` sets the clock first."""
        if at is not None:
            self._relay.at = _milliseconds(at)
        if "check" not in self._kind.hooks() or kind not in (self._kind.kinds or ("text",)):
            return passed()
        self._ids += 1
        number = f"00000000-0000-4000-8000-{self._ids:012}"
        payload = payload if self._kind.payload else None
        message = Message(number, room, author, kind, text, fold(text), avatar, payload, self._relay.at)
        with self._checking() as filter:
            return filter.check(message, sender or somebody())

    def check_nickname(self, nickname: str, room: str = "QGIS", sender: Sender | None = None) -> Verdict:
        """Checks a nickname."""
        if "check-nickname" not in self._kind.hooks():
            return passed()
        with self._checking() as filter:
            return filter.check_nickname(nickname, room, sender or somebody())

    def _instance(self) -> Filter:
        before = _host.enter(self._relay)
        try:
            filter = self._kind()
            filter.configure(json.loads(self._settings))
            return filter
        finally:
            _host.enter(before)

    @contextmanager
    def _checking(self) -> Iterator[Filter]:
        if self._fresh:
            self._filter = self._instance()
        before = _host.enter(self._relay)
        self._relay.checking = True
        try:
            yield self._filter
        finally:
            self._relay.checking = False
            _host.enter(before)


def failures(filter: type[Filter], folder: str | Path) -> list[str]:
    """Runs the golden cases of a plugin's folder, `cases/*.toml`, natively. Returns one line per failed case."""
    folder = Path(folder)
    settings = tomllib.loads((folder / "plugin.toml").read_text("utf-8")).get("settings", {})
    found = []
    for file in sorted(folder.glob("cases/*.toml")):
        for case in tomllib.loads(file.read_text("utf-8"))["case"]:
            failure = _failure(Harness(filter, settings | case.get("settings", {})), case)
            if failure:
                found.append(f"{file.name}: {case['name']}: {failure}")
    return found


def _failure(harness: Harness, case: dict[str, Any]) -> str | None:
    fields = case.get("sender", {})
    sender = somebody(**fields)
    harness.in_room(**({"members": 1} | case.get("room", {})))
    for message in case.get("before", []):
        other = somebody(**(fields | message.get("sender", {})))
        harness.check(**(message | {"sender": other}))
    if "nickname" in case:
        verdict = harness.check_nickname(case["nickname"], sender=sender)
    else:
        verdict = harness.check(sender=sender, **case["message"])
    actual: dict[str, Any] = {"action": verdict.action.name, "reason": verdict.reason, "labels": list(verdict.labels)}
    if isinstance(verdict.action, Replace):
        actual["text"] = verdict.action.text
    if verdict.sanction is not None:
        actual["sanction"] = {"kind": verdict.sanction.kind, "seconds": verdict.sanction.seconds}
    for key, value in case["expect"].items():
        if actual.get(key) != value:
            return f"{key} is {actual.get(key)!r}, not {value!r}"
    return None


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000)
