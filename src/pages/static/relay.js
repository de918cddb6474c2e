// Client for the relay: API calls, nickname rules, and the connection to a room. Does not touch the page.

const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 60000;
// The backoff resets only after a connection has lived this long. Otherwise a relay that
// accepts connections and closes them immediately would be hammered.
const STEADY_MS = 10000;
const CLOSED_BY_MODERATORS = 1008;
const CLOSE_WORDS = { 1001: "The relay is shutting down", 1013: "Disconnected for being too slow" };

const RESERVED = ["internal", "moderation"]; // by every relay

export const getRooms = () => getJson("rooms");
export const getRules = () => getJson("rules");
export const getVersion = () => getJson("version");
const getUsers = (room) => getJson(roomPath(room, "users"));

// Relative, so that the page also works below a proxy's path prefix.
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

// Returns why the relay would reject a nickname, or an empty string. A room can be read without a nickname.
export function nicknameProblem(nickname, { min_author_length: min, max_author_length: max }) {
  if (nickname === "") return "";
  if (!/^[A-Za-z0-9_-]+$/.test(nickname)) return "Only letters A to Z, digits, _ and - may be used.";
  if (nickname.length < min || nickname.length > max) return `It takes ${min} to ${max} characters.`;
  return RESERVED.includes(nickname.toLowerCase()) ? "This nickname is reserved." : "";
}

// Retries an action with exponential backoff.
export class Retry {
  failures = 0; // consecutive
  #scheduled = null; // {timer, now}

  // Schedules the action; `onWait` gets the remaining seconds until then.
  schedule(action, onWait) {
    const ceiling = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** this.failures++);
    // Half fixed, half random, so that clients do not all reconnect to a restarted relay simultaneously.
    const due = Date.now() + ceiling / 2 + Math.random() * ceiling / 2;
    const now = () => { this.cancel(); action(); };
    const tick = () => {
      const seconds = Math.ceil((due - Date.now()) / 1000);
      if (seconds <= 0) now();
      else onWait(seconds);
    };
    this.#scheduled = { timer: setInterval(tick, 250), now };
    tick();
  }

  now() {
    this.#scheduled?.now();
  }

  cancel() {
    clearInterval(this.#scheduled?.timer);
    this.#scheduled = null;
  }
}

// A connection to a room that reconnects until it is left. Without a nickname it is read-only.
//
// `events` has a callback for each event:
// connecting(), connected(), named() once the nickname is registered, lost(why, isNews), retrying(why, seconds),
// closed(reason) by the moderators, people() when `users` or `connections` changed, joined(name), left(name),
// message(author, text), notice(text), warning(text), liked(name, text).
export class Connection {
  users = [];
  connections = 0;
  named = false; // whether the nickname is registered
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
    // Ignore events of a replaced socket.
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
    this.retry.schedule(() => this.open(), (seconds) => this.#events.retrying(why, seconds));
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

  // Every page learns of a join or leave simultaneously, so larger rooms spread their
  // calls over a longer time.
  #refreshUsersSoon() {
    if (this.#usersTimer) return;
    const spread = Math.min(10000, this.connections * 20);
    this.#usersTimer = setTimeout(() => this.#refreshUsers(), 300 + Math.random() * spread);
  }

  async #refreshUsers() {
    this.#usersTimer = null;
    // On failure, keep the old list until the next join or leave.
    const users = await getUsers(this.room).catch(() => this.users);
    if (this.#left) return;
    this.users = users;
    this.#events.people();
  }
}
