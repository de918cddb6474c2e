#!/usr/bin/env python3
r"""Talk in a room of gischat-relay from a terminal, as a v1 client does.

Needs Python 3.9 or newer and the package websockets 10.4 or newer
(`apt install python3-websockets`, or `pip install websockets`).

    $ python3 chat.py --room "Field and mobile" --nickname jane
    * connections in Field and mobile: 2
    * jane came in
    hans: has anybody tried the new relay?
    yes, just now                            <- typed; the next line is the echo
    jane: yes, just now

    $ python3 chat.py --nickname jane --say hello --say bye
    * connections in QGIS: 1
    * jane came in
    jane: hello
    jane: bye

    $ python3 chat.py --author x --say hello; echo "status $?"
    * connections in QGIS: 1
    ! Refused: `author` has 1 character; 3 to 32 are allowed
    status 1

    $ python3 chat.py --listen 60            # only listens, without a nickname

Exit status: 0 if everything was sent and echoed, 1 if something was refused or not answered or the
connection failed, 2 for invalid arguments. Ctrl-C or the end of input leaves the room.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import sys
import threading
from typing import Any
from urllib.parse import quote, urlsplit

import websockets
from websockets.exceptions import ConnectionClosed, WebSocketException

TIMEOUT = 5.0  # seconds to wait for the echo or the refusal of one frame


def address(url: str, room: str) -> str:
    """Returns the WebSocket URL of `room` on the relay at `url`, with its name percent-encoded."""
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/room/{quote(room, safe='')}/ws"


def describe(frame: dict[str, Any], room: str) -> str:
    """Formats a v1 frame for people."""
    if frame.get("author") == "moderation":
        words = f"! {frame.get('message')}"
    elif frame.get("author") != "internal":
        words = f"{frame.get('author')}: {frame.get('message')}"
    elif "nb_users" in frame:
        words = f"* connections in {room}: {frame['nb_users']}"
    elif "newcomer" in frame:
        words = f"* {frame['newcomer']} came in"
    elif "exiter" in frame:
        words = f"* {frame['exiter']} left"
    elif "uncompliant" in frame:
        words = f"! {frame['uncompliant']}"
    elif "liker_author" in frame:
        words = f"* {frame['liker_author']} likes your message: {frame.get('message')}"
    else:
        words = f"? {json.dumps(frame, ensure_ascii=False)}"
    # Text of other users must not control this terminal.
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", words)


def read_stdin(loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[str | None]) -> None:
    """Queues the lines of standard input. Unbuffered, because its thread is abandoned at exit."""
    with open(0, "rb", buffering=0, closefd=False) as stdin, contextlib.suppress(RuntimeError):
        for line in stdin:
            if text := line.decode(errors="replace").strip():
                loop.call_soon_threadsafe(lines.put_nowait, text)
        loop.call_soon_threadsafe(lines.put_nowait, None)


async def visit(socket: Any, args: argparse.Namespace) -> bool:
    """Registers, sends and listens as the arguments say. Returns True if nothing was refused."""
    author: str | None = args.author or args.nickname
    lines: asyncio.Queue[str | None] = asyncio.Queue()  # to send; None is the end
    answers: asyncio.Queue[bool | None] = asyncio.Queue()  # echoed or refused; None is a lost connection

    async def receive() -> None:
        try:
            async for raw in socket:
                frame = json.loads(raw)
                print(describe(frame, args.room), flush=True)
                if frame.get("author") == "moderation" or "uncompliant" in frame:
                    answers.put_nowait(False)
                elif "message" in frame and frame["author"] == author:
                    answers.put_nowait(True)  # whatever its text: a rule may have changed it
                elif "newcomer" in frame and frame["newcomer"] == args.nickname:
                    answers.put_nowait(True)
        except ConnectionClosed:
            pass  # reported below with its close code
        finally:
            answers.put_nowait(None)
            lines.put_nowait(None)

    async def send(frame: dict[str, Any]) -> bool:
        while not answers.empty():  # late ones belong to an earlier frame
            answers.get_nowait()
        await socket.send(json.dumps(frame, ensure_ascii=False))
        try:
            answer = await asyncio.wait_for(answers.get(), TIMEOUT)
        except asyncio.TimeoutError:
            print(f"! no answer in {TIMEOUT:.0f} s (with V1_NOTICES=off a refusal has none)", flush=True)
            return False
        if answer is None:
            raise ConnectionError(f"the relay closed the connection ({socket.close_code})")
        return answer

    receiving = asyncio.create_task(receive())
    if args.nickname and not await send({"author": "internal", "newcomer": args.nickname}):
        return False
    if args.say or args.listen is not None:
        for text in [*args.say, None]:
            lines.put_nowait(text)
    else:
        threading.Thread(target=read_stdin, args=(asyncio.get_running_loop(), lines), daemon=True).start()
    accepted = True
    while (text := await lines.get()) is not None:
        accepted &= await send({"message": text, "author": author, "avatar": args.avatar})
    if args.listen is not None:
        await asyncio.wait({receiving}, timeout=args.listen)
    if receiving.done():
        raise ConnectionError(f"the relay closed the connection ({socket.close_code})")
    return accepted


async def join(args: argparse.Namespace) -> bool:
    """Connects, runs the visit, and always leaves the room."""
    async with websockets.connect(address(args.url, args.room)) as socket:
        try:
            return await visit(socket, args)
        finally:  # closes with code 1000; leaving the block by Ctrl-C would send 1011
            await socket.close()


def main() -> int:
    """Parses the arguments and returns the exit status."""
    parser = argparse.ArgumentParser(description="Talk in a room of gischat-relay.")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="of the relay (default: %(default)s)")
    parser.add_argument("--room", default="QGIS", help="its name, not percent-encoded (default: %(default)s)")
    parser.add_argument("--nickname", help="nickname to register and to send under")
    parser.add_argument("--author", help="nickname to send under without registering it")
    parser.add_argument("--avatar", help="file name of a QGIS icon, e.g. mGeoPackage.svg")
    parser.add_argument("--say", action="append", default=[], metavar="TEXT", help="send this and leave; repeatable")
    parser.add_argument("--listen", type=float, metavar="SECONDS", help="listen for this long, and read no input")
    args = parser.parse_args()
    if not (args.nickname or args.author) and (args.say or args.listen is None):
        parser.error("to send, give --nickname or --author; to listen only, --listen SECONDS")
    try:
        return 0 if asyncio.run(join(args)) else 1
    except KeyboardInterrupt:
        return 0
    except (OSError, WebSocketException, asyncio.TimeoutError) as error:
        print(f"cannot talk in {args.room} at {args.url}: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
