#!/usr/bin/env python3
r"""A client like the QGIS desktop plugins, for tests/relay/qt_clients.rs: QWebSocket and QNetworkAccessManager.

    $ desktop.py v3 http://127.0.0.1:8000 jane
    {"opened": {"outgoing_frame_size": 524288}}
    {"frame": {"type":"nb_users","nb_users":1,"id":"…","timestamp":1764520000}}
    {"send": {"type": "text", "author": "jane", "avatar": null, "text": "hello"}}      <- typed

Without a nickname it is incognito: it sends nothing until it is told to.

Commands on standard input, one JSON object a line. The end of the input is a `quit`.

    {"send": FRAME}                                           sends a frame; as v3, with an id and a timestamp
    {"send_image": {"author": NAME, "size": [WIDTH, HEIGHT]}} sends a PNG that does not compress
    {"get": PATH}                                             calls the relay with the query string of the plugins
    {"quit": true}                                            leaves the room

Lines on standard output, one JSON object each:

    {"opened": {"outgoing_frame_size": N}}   Qt splits longer frames into fragments of N bytes
    {"frame": FRAME}                         a frame, unchanged; the client has accepted it
    {"untyped": FRAME}                       as v2: a frame of v1, which v2 plugins log and skip
    {"image": [WIDTH, HEIGHT]}               the PNG of the frame before, decoded by Qt
    {"http": {"path", "status", "body"}}     an answer to `get`
    {"closed": CODE}                         the connection has ended; the client exits with 0
    {"error": TEXT}                          the plugin would have raised; the client exits with 1
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import uuid
from dataclasses import make_dataclass
from datetime import datetime, timezone
from typing import Any, Callable
from urllib.parse import quote

from PyQt5.QtCore import QBuffer, QByteArray, QCoreApplication, QObject, QSocketNotifier, QUrl
from PyQt5.QtGui import QImage
from PyQt5.QtNetwork import QAbstractSocket, QNetworkAccessManager, QNetworkReply, QNetworkRequest
from PyQt5.QtWebSockets import QWebSocket

# The keys of each kind of frame, besides `type` and, in v3, `id` and `timestamp`.
KEYS = {
    "text": ["author", "avatar", "text"],
    "image": ["author", "avatar", "image_data"],
    "nb_users": ["nb_users"],
    "newcomer": ["newcomer"],
    "exiter": ["exiter"],
    "like": ["liker_author", "liked_author", "message"],
    "geojson": ["author", "avatar", "layer_name", "crs_wkt", "crs_authid", "geojson", "style"],
    "crs": ["author", "avatar", "crs_wkt", "crs_authid"],
    "bbox": ["author", "avatar", "crs_wkt", "crs_authid", "xmin", "xmax", "ymin", "ymax"],
    "position": ["author", "avatar", "crs_wkt", "crs_authid", "x", "y"],
    "model": ["author", "avatar", "model_name", "model_group", "raw_xml"],
    "uncompliant": ["reason"],
}
KEYS_OF_V3 = {**KEYS, "script": ["author", "avatar", "name", "raw_pycode"]}

QUERY = "utm_medium=QChat&utm_campaign=plugin_1.0.0"


def frame_classes(generation: str) -> dict[str, type]:
    """Returns a dataclass for each kind of frame. An unknown or missing key of a frame raises, as in the plugins."""
    kinds = KEYS_OF_V3 if generation == "v3" else KEYS
    stamp = ["id", "timestamp"] if generation == "v3" else []
    return {kind: make_dataclass(kind, ["type", *stamp, *keys]) for kind, keys in kinds.items()}


def write(kind: str, value: Any) -> None:
    """Prints an event."""
    write_raw(kind, json.dumps(value))


def write_raw(kind: str, value: str) -> None:
    """Prints an event whose value is JSON already."""
    sys.stdout.write(f'{{"{kind}": {value}}}\n')
    sys.stdout.flush()


def fail(_: type[BaseException], error: BaseException, __: Any) -> None:
    """Ends the client at once. As `sys.excepthook`: Qt calls the client, so nothing else catches its exceptions."""
    write("error", f"{type(error).__name__}: {error}")
    os._exit(1)


class Input(QObject):
    """Calls `handle` with each line of standard input, and with `{"quit": true}` at its end."""

    def __init__(self, handle: Callable[[str], None]) -> None:
        super().__init__()
        self.handle = handle
        self.pieces: list[bytes] = []
        self.notifier = QSocketNotifier(0, QSocketNotifier.Read, self)
        self.notifier.activated.connect(self.read)

    def read(self, *_: Any) -> None:
        """Reads what is there."""
        data = os.read(0, 1 << 20)
        if not data:
            self.notifier.setEnabled(False)
            self.handle('{"quit": true}')
            return
        *lines, rest = data.split(b"\n")
        for line in lines:
            whole = b"".join([*self.pieces, line])
            self.pieces.clear()
            self.handle(whole.decode())
        self.pieces.append(rest)


class Desktop(QObject):
    """A member of a room."""

    def __init__(self, generation: str, url: str, room: str, nickname: str | None) -> None:
        super().__init__()
        self.generation = generation
        self.classes = frame_classes(generation)
        self.url = url.rstrip("/")
        self.nickname = nickname
        self.network = QNetworkAccessManager(self)
        self.network.finished.connect(self.on_reply)
        self.socket = QWebSocket()
        self.socket.connected.connect(self.on_connected)
        self.socket.disconnected.connect(self.on_disconnected)
        self.socket.textMessageReceived.connect(self.on_text)
        self.socket.error.connect(self.on_error)
        noun = "channel" if generation == "v3" else "room"
        self.socket.open(QUrl(f"{self.url.replace('http', 'ws', 1)}/{noun}/{quote(room, safe='')}/ws"))

    def on_connected(self) -> None:
        """Registers, as the plugins do at once."""
        write("opened", {"outgoing_frame_size": self.socket.outgoingFrameSize()})
        if self.nickname is None:
            return
        if self.generation == "v1":
            self.send({"author": "internal", "newcomer": self.nickname})
        else:
            self.send({"type": "newcomer", "newcomer": self.nickname})

    def on_disconnected(self) -> None:
        """Ends the client."""
        write("closed", self.socket.closeCode())
        QCoreApplication.quit()

    def on_error(self, error: QAbstractSocket.SocketError) -> None:
        """Ends the client, unless the relay has closed the connection."""
        if error != QAbstractSocket.RemoteHostClosedError:
            raise ConnectionError(self.socket.errorString())

    def send(self, frame: dict[str, Any]) -> None:
        """Sends a frame."""
        if self.generation == "v3":
            frame = {"id": str(uuid.uuid4()), "timestamp": int(time.time()), **frame}
        self.socket.sendTextMessage(json.dumps(frame))

    def on_text(self, text: str) -> None:
        """Accepts a frame of the relay, or raises as a plugin would."""
        frame = json.loads(text)
        if self.generation == "v1":
            self.accept_v1(frame)
        elif "type" not in frame and self.generation == "v2":
            write_raw("untyped", text)
            return
        else:
            self.accept_typed(frame)
        write_raw("frame", text)
        if frame.get("type") == "image":
            image = QImage()
            if not image.loadFromData(QByteArray.fromBase64(frame["image_data"].encode()), "PNG"):
                raise ValueError("`image_data` is not a PNG")
            write("image", [image.width(), image.height()])

    def send_image(self, author: str, size: list[int]) -> None:
        """Sends a PNG of noise."""
        width, height = size
        image = QImage(os.urandom(width * height * 3), width, height, width * 3, QImage.Format_RGB888)
        png = QBuffer()
        if not (png.open(QBuffer.WriteOnly) and image.save(png, "PNG")):
            raise ValueError("Qt cannot make this PNG")
        data = bytes(png.data().toBase64()).decode()
        self.send({"type": "image", "author": author, "avatar": None, "image_data": data})

    @staticmethod
    def accept_v1(frame: dict[str, Any]) -> None:
        """Reads a frame as v1 plugins do. No frame of v2 or v3 has all these keys."""
        if frame["author"] != "internal":
            message, _author, _avatar = frame["message"], frame["author"], frame["avatar"]
            message.strip()  # raises if it is null
        elif "liker_author" in frame or "liked_author" in frame:
            _liker, _liked, message = frame["liker_author"], frame["liked_author"], frame["message"]
            message.strip()
        # Other internal frames with unknown keys are ignored.

    def accept_typed(self, frame: dict[str, Any]) -> None:
        """Reads a frame of v2 or v3. The plugins ignore kinds that they do not know; the relay must not send any."""
        self.classes[frame["type"]](**frame)
        if self.generation == "v3":
            uuid.UUID(frame["id"])
            datetime.fromtimestamp(frame["timestamp"], timezone.utc)

    def get(self, path: str) -> None:
        """Calls the relay."""
        self.network.get(QNetworkRequest(QUrl(f"{self.url}{path}?{QUERY}")))

    @staticmethod
    def on_reply(reply: QNetworkReply) -> None:
        """Reads an answer as QGIS 3.22 does, which looks up headers by their exact name in title case."""
        path = reply.url().path(QUrl.FullyEncoded)
        names = [bytes(name).decode() for name in reply.rawHeaderList()]
        if others := [name for name in names if name != name.title()]:
            raise ValueError(f"{path}: these headers are not in title case: {others}")
        content_type = bytes(reply.rawHeader(b"Content-Type"))
        if content_type != b"application/json":
            raise ValueError(f"{path}: Content-Type is {content_type.decode()!r}")
        status = reply.attribute(QNetworkRequest.HttpStatusCodeAttribute)
        write("http", {"path": path, "status": status, "body": json.loads(bytes(reply.readAll()))})

    def handle(self, line: str) -> None:
        """Follows a command."""
        command = json.loads(line)
        if "send" in command:
            self.send(command["send"])
        elif "send_image" in command:
            self.send_image(**command["send_image"])
        elif "get" in command:
            self.get(command["get"])
        elif "quit" in command:
            self.socket.close()
        else:
            raise ValueError(f"unknown command {line}")


def arguments(description: str, generations: list[str]) -> argparse.ArgumentParser:
    """Returns a parser of the arguments that all clients have."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("generation", choices=generations)
    parser.add_argument("url", help="of the relay, such as http://127.0.0.1:8000")
    parser.add_argument("--room", default="QGIS", help="its name, not percent-encoded (default: %(default)s)")
    return parser


def main() -> int:
    """Runs the client until it leaves."""
    parser = arguments("A client like the QGIS desktop plugins.", ["v1", "v2", "v3"])
    parser.add_argument("nickname", nargs="?", help="to register at once (default: none)")
    args = parser.parse_args()
    sys.excepthook = fail
    app = QCoreApplication(sys.argv[:1])
    desktop = Desktop(args.generation, args.url, args.room, args.nickname)
    commands = Input(desktop.handle)
    status = app.exec()
    del commands
    return status


if __name__ == "__main__":
    sys.exit(main())
