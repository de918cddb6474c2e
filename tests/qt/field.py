#!/usr/bin/env python3
"""A client like the QField plugin, for tests/relay/qt_clients.rs: loads field.qml without a window.

It has the commands and lines of desktop.py, except `send_image` and the values of `opened` and `closed`. By default it
registers the nickname of all who have not chosen one in QField. Before it leaves, it sends an `exiter`.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QML_DISABLE_DISK_CACHE", "1")
sys.dont_write_bytecode = True  # of desktop.py

from PyQt5.QtCore import Qt, QTimer, QUrl  # noqa: E402
from PyQt5.QtGui import QGuiApplication  # noqa: E402
from PyQt5.QtQml import QQmlComponent, QQmlEngine  # noqa: E402

from desktop import Input, arguments, fail  # noqa: E402


def write_line(line: str) -> None:
    """Prints a line of the QML."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> int:
    """Runs the client until it leaves."""
    parser = arguments("A client like the QField plugin.", ["v2", "v3"])
    parser.add_argument("nickname", nargs="?", default="jd_NaN", help="to register (default: %(default)s)")
    args = parser.parse_args()
    sys.excepthook = fail
    app = QGuiApplication(sys.argv[:1])
    engine = QQmlEngine()
    component = QQmlComponent(engine, QUrl.fromLocalFile(str(Path(__file__).with_name("field.qml"))))
    if component.isError():
        raise RuntimeError(component.errorString())
    properties = {"generation": args.generation, "url": args.url, "room": args.room, "nickname": args.nickname}
    plugin = component.createWithInitialProperties(properties)
    plugin.printed.connect(write_line)
    plugin.ended.connect(app.exit, Qt.QueuedConnection)
    commands = Input(plugin.handle)
    QTimer.singleShot(0, plugin.open)
    status = app.exec()
    # In this order: Qt complains if the engine goes first.
    del commands, plugin, component, engine
    return status


if __name__ == "__main__":
    sys.exit(main())
