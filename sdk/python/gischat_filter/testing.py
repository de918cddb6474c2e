"""Native tests of a filter: no component, no relay, an ordinary Python process with a debugger if need be.

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
    """A sender who has been there for an hour, but for these fields."""
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
    """A filter and the relay in miniature around it.

    `fresh` makes a new instance for each check, as the relay may: what the filter remembers must be in the store.
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
        # Through JSON, as the relay gives them.
        self._settings = json.dumps(dict(settings or {}))
        self._fresh = fresh
        self._relay = Emulation(_milliseconds(at))
        self._ids = 0
        self._filter = self._instance()

    @property
    def log(self) -> list[tuple[Level, str]]:
        """The lines that the filter wrote."""
        return self._relay.lines

    @property
    def now(self) -> datetime:
        """The time; it goes on by `advance` alone."""
        return datetime.fromtimestamp(self._relay.at / 1_000, timezone.utc)

    def advance(self, seconds: float) -> None:
        """Lets time go on."""
        self._relay.at += round(seconds * 1_000)

    def in_room(self, members: int, names: list[str] | None = None) -> None:
        """Sets how many connections the room has, and the registered names."""
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
        """What the filter says of a message. `at` sets the time, as the message's arrival does."""
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
        """What the filter says of a nickname."""
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
    """Runs the golden cases of a plugin's folder, `cases/*.toml`, natively: one line for each that is not true."""
    folder = Path(folder)
    settings = tomllib.loads((folder / "plugin.toml").read_text("utf-8")).get("settings", {})
    found = []
    for file in sorted(folder.glob("cases/*.toml")):
        for case in tomllib.loads(file.read_text("utf-8"))["case"]:
            fault = _fault(Harness(filter, settings | case.get("settings", {})), case)
            if fault:
                found.append(f"{file.name}: {case['name']}: {fault}")
    return found


def _fault(harness: Harness, case: dict[str, Any]) -> str | None:
    who = case.get("sender", {})
    sender = somebody(**who)
    harness.in_room(**({"members": 1} | case.get("room", {})))
    for message in case.get("before", []):
        other = somebody(**(who | message.get("sender", {})))
        harness.check(**(message | {"sender": other}))
    if "nickname" in case:
        verdict = harness.check_nickname(case["nickname"], sender=sender)
    else:
        verdict = harness.check(sender=sender, **case["message"])
    said: dict[str, Any] = {"action": verdict.action.name, "reason": verdict.reason, "labels": list(verdict.labels)}
    if isinstance(verdict.action, Replace):
        said["text"] = verdict.action.text
    if verdict.sanction is not None:
        said["sanction"] = {"kind": verdict.sanction.kind, "seconds": verdict.sanction.seconds}
    for key, value in case["expect"].items():
        if said.get(key) != value:
            return f"{key} is {said.get(key)!r}, not {value!r}"
    return None


def _milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1_000)
