#!/usr/bin/env python3
r"""Talk in a room of gischat-relay from a terminal, as a v1 client does.

Needs Python 3.9 or newer and the package websockets 10.4 or newer
(`apt install python3-websockets`, or `pip install websockets`).

    $ python3 chat.py --room "Field and mobile" --nickname jane
    * connections in Field and mobile: 2
    * jane came in
    hans: has anybody tried the new relay?
    yes, just now                            <- typed; the next line is what came back
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

    $ python3 chat.py --listen 60            # says nothing, not even a nickname

Exit status: 0 all was said and heard, 1 something was refused or got no answer or the
connection failed, 2 bad arguments. Ctrl-C and the end of the input leave the room.
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

PATIENCE = 5.0  # seconds to wait for the echo or the refusal of one frame


def address(url: str, room: str) -> str:
    """The WebSocket address of `room` on the relay at `url`, its name percent-encoded."""
    parts = urlsplit(url)
    scheme = {"http": "ws", "https": "wss"}.get(parts.scheme, parts.scheme)
    return f"{scheme}://{parts.netloc}{parts.path.rstrip('/')}/room/{quote(room, safe='')}/ws"


def in_words(frame: dict[str, Any], room: str) -> str:
    """What a person should read of a v1 frame."""
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
    # Other people's text must not steer this terminal.
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", " ", words)


def read_stdin(loop: asyncio.AbstractEventLoop, lines: asyncio.Queue[str | None]) -> None:
    """Queues the lines of the standard input. Unbuffered, because its thread is left behind at exit."""
    with open(0, "rb", buffering=0, closefd=False) as stdin, contextlib.suppress(RuntimeError):
        for line in stdin:
            if text := line.decode(errors="replace").strip():
                loop.call_soon_threadsafe(lines.put_nowait, text)
        loop.call_soon_threadsafe(lines.put_nowait, None)


async def visit(socket: Any, args: argparse.Namespace) -> bool:
    """Registers, says and listens as the arguments ask. True when nothing was refused."""
    author: str | None = args.author or args.nickname
    lines: asyncio.Queue[str | None] = asyncio.Queue()  # to say; None is the end
    answers: asyncio.Queue[bool | None] = asyncio.Queue()  # heard or refused; None is a lost connection

    async def hear() -> None:
        try:
            async for raw in socket:
                frame = json.loads(raw)
                print(in_words(frame, args.room), flush=True)
                if frame.get("author") == "moderation" or "uncompliant" in frame:
                    answers.put_nowait(False)
                elif "message" in frame and frame["author"] == author:
                    answers.put_nowait(True)  # whatever its text: a rule may have changed it
                elif "newcomer" in frame and frame["newcomer"] == args.nickname:
                    answers.put_nowait(True)
        except ConnectionClosed:
            pass  # told below, by its close code
        finally:
            answers.put_nowait(None)
            lines.put_nowait(None)

    async def send(frame: dict[str, Any]) -> bool:
        while not answers.empty():  # late ones belong to an earlier frame
            answers.get_nowait()
        await socket.send(json.dumps(frame, ensure_ascii=False))
        try:
            answer = await asyncio.wait_for(answers.get(), PATIENCE)
        except asyncio.TimeoutError:
            print(f"! no answer in {PATIENCE:.0f} s (with V1_NOTICES=off a refusal has none)", flush=True)
            return False
        if answer is None:
            raise ConnectionError(f"the relay closed the connection ({socket.close_code})")
        return answer

    hearing = asyncio.create_task(hear())
    if args.nickname and not await send({"author": "internal", "newcomer": args.nickname}):
        return False
    if args.say or args.listen is not None:
        for text in [*args.say, None]:
            lines.put_nowait(text)
    else:
        threading.Thread(target=read_stdin, args=(asyncio.get_running_loop(), lines), daemon=True).start()
    good = True
    while (text := await lines.get()) is not None:
        good &= await send({"message": text, "author": author, "avatar": args.avatar})
    if args.listen is not None:
        await asyncio.wait({hearing}, timeout=args.listen)
    if hearing.done():
        raise ConnectionError(f"the relay closed the connection ({socket.close_code})")
    return good


async def join(args: argparse.Namespace) -> bool:
    """Connects, visits, and leaves the room whatever happens."""
    async with websockets.connect(address(args.url, args.room)) as socket:
        try:
            return await visit(socket, args)
        finally:  # with code 1000; leaving the block by Ctrl-C would send 1011
            await socket.close()


def main() -> int:
    """Reads the arguments and turns the outcome into an exit status."""
    parser = argparse.ArgumentParser(description="Talk in a room of gischat-relay.")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="of the relay (default: %(default)s)")
    parser.add_argument("--room", default="QGIS", help="its name, not percent-encoded (default: %(default)s)")
    parser.add_argument("--nickname", help="to register in the room's list of users, and to speak under")
    parser.add_argument("--author", help="to speak under without registering it")
    parser.add_argument("--avatar", help="file name of a QGIS icon, e.g. mGeoPackage.svg")
    parser.add_argument("--say", action="append", default=[], metavar="TEXT", help="say this and leave; repeatable")
    parser.add_argument("--listen", type=float, metavar="SECONDS", help="listen so long, and read no input")
    args = parser.parse_args()
    if not (args.nickname or args.author) and (args.say or args.listen is None):
        parser.error("to speak, give --nickname or --author; to hear only, --listen SECONDS")
    try:
        return 0 if asyncio.run(join(args)) else 1
    except KeyboardInterrupt:
        return 0
    except (OSError, WebSocketException, asyncio.TimeoutError) as fault:
        print(f"cannot talk in {args.room} at {args.url}: {fault}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
