// The relay as the page sees it: its calls, what it takes, and the connection to a room. Nothing here touches the page.

const RETRY_FIRST_MS = 1000;
const RETRY_LONGEST_MS = 60000;
// A connection that lived this long was a good one: the back-off starts anew.
// Without it, a relay that accepts and closes at once would be hammered.
const STEADY_MS = 10000;
const CLOSED_BY_MODERATORS = 1008;
const CLOSE_WORDS = { 1001: "The relay is shutting down", 1013: "Disconnected for being too slow" };

const RESERVED = ["internal", "moderation"];

export const getRooms = () => getJson("rooms");
export const getRules = () => getJson("rules");
export const getVersion = () => getJson("version");
const getUsers = (room) => getJson(roomPath(room, "users"));

// Relative, so that the page also works below a path prefix of a proxy.
const roomPath = (room, leaf) => `room/${encodeURIComponent(room)}/${leaf}`;

async function getJson(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.json();
}

function socketUrl(room) {
  const url = new URL(roomPath(room, "ws"), document.baseURI);
  url.protocol = url.protocol.replace("http", "ws");
  return url;
}

// Why the relay would not take a nickname, or nothing. Without one a room can be read.
export function nicknameProblem(nickname, { min_author_length: min, max_author_length: max }) {
  if (nickname === "") return "";
  if (!/^[A-Za-z0-9_-]+$/.test(nickname)) return "Only letters A to Z, digits, _ and - may be used.";
  if (nickname.length < min || nickname.length > max) return `It takes ${min} to ${max} characters.`;
  return RESERVED.includes(nickname.toLowerCase()) ? "This nickname is reserved." : "";
}

// Does something again later, and the later the more often it failed.
export class Retry {
  failures = 0; // in a row
  #planned = null; // {timer, now}

  // Until it is time for the action, `onWait` gets the seconds left.
  later(action, onWait) {
    const ceiling = Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** this.failures++);
    // Half fixed, half random: the clients of a restarted relay do not come back all at once.
    const due = Date.now() + ceiling / 2 + Math.random() * ceiling / 2;
    const now = () => { this.cancel(); action(); };
    const tick = () => {
      const seconds = Math.ceil((due - Date.now()) / 1000);
      if (seconds <= 0) now();
      else onWait(seconds);
    };
    this.#planned = { timer: setInterval(tick, 250), now };
    tick();
  }

  now() {
    this.#planned?.now();
  }

  cancel() {
    clearInterval(this.#planned?.timer);
    this.#planned = null;
  }
}

// A place in a room, kept through reconnections until it is left. Without a nickname it is for reading only.
//
// What happens is told to `events`, which has a function for each of:
// connecting(), connected(), named() once the nickname is ours, lost(why, isNews), retrying(why, seconds), closed(reason) by the moderators, people()
// when `users` or `connections` changed, joined(name), left(name), message(author, text), notice(text), warning(text),
// liked(name, text).
export class Connection {
  users = [];
  connections = 0;
  named = false; // whether the room knows us by our nickname
  retry = new Retry();
  #events;
  #socket = null;
  #openedAt = null; // while connected
  #usersTimer = null;
  #left = false;

  constructor(room, nickname, events) {
    this.room = room;
    this.nickname = nickname;
    this.#events = events;
  }

  open() {
    this.#events.connecting();
    const socket = new WebSocket(socketUrl(this.room));
    // Events of a socket that was left behind are not ours any more.
    const ours = (handler) => (event) => { if (socket === this.#socket) handler(event); };
    socket.onopen = ours(() => this.#onOpen());
    socket.onmessage = ours((event) => this.#onFrame(event.data));
    socket.onclose = ours((event) => this.#onClose(event));
    this.#socket = socket;
  }

  send(text) {
    this.#sendFrame({ message: text, author: this.nickname, avatar: null });
  }

  leave() {
    const socket = this.#socket;
    this.retry.cancel();
    clearTimeout(this.#usersTimer);
    this.#socket = null;
    this.#left = true;
    socket?.close(1000);
  }

  #sendFrame(frame) {
    this.#socket.send(JSON.stringify(frame));
  }

  #onOpen() {
    this.#openedAt = Date.now();
    this.named = false;
    if (this.nickname) this.#sendFrame({ author: "internal", newcomer: this.nickname });
    this.#events.connected();
  }

  #onClose({ code, reason }) {
    const openedAt = this.#openedAt;
    const wasLive = openedAt !== null;
    this.#socket = this.#openedAt = null;
    if (code === CLOSED_BY_MODERATORS) {
      this.leave();
      return this.#events.closed(reason);
    }
    if (wasLive && Date.now() - openedAt >= STEADY_MS) this.retry.failures = 0;
    const why = CLOSE_WORDS[code] ?? (wasLive ? "Connection lost" : "Could not connect");
    this.#events.lost(why, wasLive || this.retry.failures === 0);
    this.retry.later(() => this.open(), (seconds) => this.#events.retrying(why, seconds));
  }

  #onFrame(data) {
    let frame;
    try { frame = JSON.parse(data) ?? {}; } catch { return; }
    const { author, message, avatar } = frame;
    if (author === "internal") this.#onInternal(frame);
    else if (typeof author !== "string" || typeof message !== "string") return;
    else if (author !== "moderation") this.#events.message(author, message);
    else if (avatar === "mIconWarning.svg") this.#events.warning(message);
    else this.#events.notice(message);
  }

  #onInternal({ nb_users, newcomer, exiter, liker_author, message, uncompliant }) {
    if (liker_author && message) this.#events.liked(liker_author, message);
    if (uncompliant) this.#events.warning(`${uncompliant}`);
    if (newcomer && newcomer === this.nickname) {
      this.named = true;
      this.#events.named();
    } else if (newcomer) this.#events.joined(newcomer);
    if (exiter) this.#events.left(exiter);
    if (Number.isInteger(nb_users)) this.connections = nb_users;
    if (newcomer || exiter || nb_users) {
      this.#events.people();
      this.#refreshUsersSoon();
    }
  }

  // One coming or going tells every page at once: the larger the room, the wider
  // the calls are spread, so that they never arrive as a wave.
  #refreshUsersSoon() {
    if (this.#usersTimer) return;
    const spread = Math.min(10000, this.connections * 20);
    this.#usersTimer = setTimeout(() => this.#refreshUsers(), 300 + Math.random() * spread);
  }

  async #refreshUsers() {
    this.#usersTimer = null;
    // On a failure the old list stays until the next coming or going.
    const users = await getUsers(this.room).catch(() => this.users);
    if (this.#left) return;
    this.users = users;
    this.#events.people();
  }
}
