const LOG_LINES = 500;
const NICKNAME_KEY = "gischat.nickname";
const RESERVED = ["internal", "moderation"];
const HUES = 6;
const RETRY_FIRST_MS = 1000;
const RETRY_LONGEST_MS = 60000;
// A connection that lived this long was a good one: the back-off starts anew.
// Without it, a relay that accepts and closes at once would be hammered.
const STEADY_MS = 10000;
const CLOSED_BY_MODERATORS = 1008;
const CLOSE_WORDS = { 1001: "The relay is shutting down", 1013: "Disconnected for being too slow" };

const state = {
  rules: null, // what /rules says
  place: null, // {room, nickname} while joined or trying to be, else null
  phase: "away", // away | waiting (for the connection) | live | closed (by the moderators)
  socket: null,
  openedAt: 0,
  failures: 0, // in a row
  retry: null, // {timer, now}
  connections: 0, users: [], usersTimer: null,
  pending: [], // log lines not yet on the page
  flushTimer: null,
  follow: true, // the log stays at its end
  lastText: "", unread: 0,
};

const $ = (id) => document.getElementById(id);
const draft = () => $("text").value.trim();
const codePoints = (text) => [...text].length;

// Children that are strings become text nodes, never markup.
function element(tag, className, ...children) {
  const node = document.createElement(tag);
  node.className = className;
  node.append(...children);
  return node;
}

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

function retryLater(words, action) {
  const ceiling = Math.min(RETRY_LONGEST_MS, RETRY_FIRST_MS * 2 ** state.failures++);
  // Half fixed, half random: the clients of a restarted relay do not come back all at once.
  const due = Date.now() + ceiling / 2 + Math.random() * ceiling / 2;
  const now = () => { cancelRetry(); action(); };
  const tick = () => {
    const seconds = Math.ceil((due - Date.now()) / 1000);
    if (seconds <= 0) now();
    else $("status").textContent = `${words}; ${state.place ? "reconnecting" : "trying again"} in ${seconds} s`;
  };
  state.retry = { timer: setInterval(tick, 250), now };
  tick();
}

function cancelRetry() {
  clearInterval(state.retry?.timer);
  state.retry = null;
}

function join(place) {
  Object.assign(state, { place, failures: 0, users: [], connections: 0, pending: [], follow: true });
  $("log").replaceChildren();
  history.replaceState(null, "", `#${new URLSearchParams({ room: place.room })}`);
  connect();
}

function leave(phase, words) {
  const socket = state.socket;
  cancelRetry();
  clearTimeout(state.usersTimer);
  Object.assign(state, { socket: null, place: null, usersTimer: null });
  socket?.close(1000);
  enter(phase, words);
}

function connect() {
  enter("waiting", "Connecting…");
  const socket = new WebSocket(socketUrl(state.place.room));
  // Events of a socket that was left behind are not ours any more.
  const ours = (handler) => (event) => { if (socket === state.socket) handler(event); };
  socket.onopen = ours(onOpen);
  socket.onmessage = ours((event) => onFrame(event.data));
  socket.onclose = ours(onClose);
  state.socket = socket;
}

function onOpen() {
  const { room, nickname } = state.place;
  state.openedAt = Date.now();
  if (nickname) state.socket.send(JSON.stringify({ author: "internal", newcomer: nickname }));
  enter("live", "Connected");
  addLine("presence", nickname ? `You joined ${room} as ${nickname}` : `You are reading ${room}`);
}

function onClose({ code, reason }) {
  const wasLive = state.phase === "live";
  state.socket = null;
  if (code === CLOSED_BY_MODERATORS) {
    addLine("warning", reason ? `Closed by the moderators: ${reason}` : "Closed by the moderators");
    return leave("closed", "Closed by the moderators");
  }
  if (wasLive && Date.now() - state.openedAt >= STEADY_MS) state.failures = 0;
  const words = CLOSE_WORDS[code] ?? (wasLive ? "Connection lost" : "Could not connect");
  if (wasLive || state.failures === 0) addLine("presence", words);
  enter("waiting", words);
  retryLater(words, connect);
}

function sendText() {
  if (!canSend()) return;
  const text = draft();
  state.socket.send(JSON.stringify({ message: text, author: state.place.nickname, avatar: null }));
  Object.assign(state, { lastText: text, follow: true });
  $("text").value = "";
  showComposer();
}

function onFrame(data) {
  let frame;
  try { frame = JSON.parse(data) ?? {}; } catch { return; }
  const { author, message, avatar } = frame;
  if (author === "internal") onInternal(frame);
  else if (typeof author !== "string" || typeof message !== "string") return;
  else if (author === "moderation") addLine(avatar === "mIconWarning.svg" ? "warning" : "notice", message);
  else addMessage(author, message);
}

function onInternal({ nb_users, newcomer, exiter, liker_author, message, uncompliant }) {
  if (liker_author && message) addLine("notice", `${liker_author} likes your message: ${message}`);
  if (uncompliant) addLine("warning", `${uncompliant}`);
  if (newcomer && newcomer !== state.place.nickname) addLine("presence", `${newcomer} joined`);
  if (exiter) addLine("presence", `${exiter} left`);
  if (Number.isInteger(nb_users)) state.connections = nb_users;
  if (newcomer || exiter || nb_users) {
    showPeople();
    refreshUsersSoon();
  }
}

// One coming or going tells every page at once: the larger the room, the wider
// the calls are spread, so that they never arrive as a wave.
function refreshUsersSoon() {
  if (state.usersTimer) return;
  const spread = Math.min(10000, state.connections * 20);
  state.usersTimer = setTimeout(refreshUsers, 300 + Math.random() * spread);
}

async function refreshUsers() {
  const { place } = state;
  state.usersTimer = null;
  // On a failure the old list stays until the next coming or going.
  const users = await getJson(roomPath(place.room, "users")).catch(() => state.users);
  if (place !== state.place) return;
  state.users = users;
  showPeople();
}

function addLine(kind, text) {
  push(element("div", `line ${kind}`, timeNow(), element("p", "body", text)));
}

function addMessage(author, text) {
  const own = author === state.place.nickname;
  const head = element("p", "head", ...nameTag(author), timeNow());
  push(element("div", own ? "line message own" : "line message", head, element("p", "body", text)));
  if (document.hidden) showTitle(state.unread + 1);
}

function timeNow() {
  const now = new Date();
  const time = element("time", "", now.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  time.dateTime = now.toISOString();
  return time;
}

function nameTag(name) {
  const hue = [...name].reduce((sum, char) => (sum * 31 + char.codePointAt(0)) % 65521, 0) % HUES;
  const tag = [element("span", `author hue${hue}`, name)];
  if (name === state.place?.nickname) tag.push(element("span", "you", "you"));
  return tag;
}

// Lines are put on the page in batches: a busy room would otherwise force a layout for
// each. By a timer, not an animation frame, because a hidden page gets no frames.
function push(line) {
  state.pending.push(line);
  if (state.pending.length > LOG_LINES) state.pending.shift();
  state.flushTimer ??= setTimeout(flush, 30);
}

function flush() {
  const log = $("log");
  log.append(...state.pending);
  Object.assign(state, { pending: [], flushTimer: null });
  while (log.childElementCount > LOG_LINES) log.firstElementChild.remove();
  $("welcome").hidden = true;
  $("to-bottom").hidden = state.follow;
  keepBottom();
}

const keepBottom = () => { if (state.follow) $("log").scrollTop = $("log").scrollHeight; };

function onScroll() {
  const { scrollHeight, scrollTop, clientHeight } = $("log");
  state.follow = scrollHeight - scrollTop - clientHeight < 48;
  if (state.follow) $("to-bottom").hidden = true;
}

function enter(phase, words) {
  const { place } = state;
  state.phase = document.body.dataset.phase = phase;
  $("join").hidden = place !== null;
  $("joined").hidden = $("people").hidden = place === null;
  $("joined-room").textContent = place?.room;
  $("joined-as").textContent = place?.nickname ? `as ${place.nickname}` : "reading only";
  $("status").textContent = words;
  showPeople();
  showComposer();
  showTitle(state.unread);
}

function showPeople() {
  const { users, connections, phase } = state;
  $("people-count").textContent = phase === "live" && connections ? `${connections} connected` : "";
  $("users").replaceChildren(...users.map((name) => element("li", "", ...nameTag(name))));
}

const canSend = () => state.phase === "live" && state.place.nickname !== ""
  && draft() !== "" && codePoints(draft()) <= state.rules.max_message_length;

function showComposer() {
  const longest = state.rules.max_message_length;
  const length = codePoints(draft());
  // While reconnecting the box stays usable, so that focus and draft are not lost.
  $("text").disabled = !state.place?.nickname;
  $("text").ariaInvalid = String(length > longest);
  $("send").disabled = !canSend();
  $("counter").textContent = state.place?.nickname ? `${length} / ${longest}` : "";
  $("composer-hint").textContent = composerHint(length - longest);
}

function composerHint(excess) {
  if (!state.place) return "Join a room to write.";
  if (!state.place.nickname) return "You are reading only. To write, leave and join with a nickname.";
  if (excess > 0) return `Too long by ${excess} ${excess === 1 ? "character" : "characters"}.`;
  if (state.phase !== "live") return "Your text can be sent once the connection is back.";
  if (matchMedia("(pointer: coarse)").matches) return "";
  return "Enter sends, Shift+Enter starts a line, ↑ brings back your last text.";
}

function showTitle(unread) {
  state.unread = unread;
  document.title = `${unread ? `(${unread}) ` : ""}${state.place ? `${state.place.room} · ` : ""}gischat`;
}

function nicknameProblem(nickname) {
  const { min_author_length: min, max_author_length: max } = state.rules;
  if (nickname === "") return "";
  if (!/^[A-Za-z0-9_-]+$/.test(nickname)) return "Only letters A to Z, digits, _ and - may be used.";
  if (nickname.length < min || nickname.length > max) return `It takes ${min} to ${max} characters.`;
  return RESERVED.includes(nickname.toLowerCase()) ? "This nickname is reserved." : "";
}

function checkNickname() {
  const nickname = $("nickname").value.trim();
  const problem = nicknameProblem(nickname);
  $("nickname").setCustomValidity(problem);
  $("nickname").ariaInvalid = String(problem !== "");
  $("nickname-hint").textContent = problem || (nickname ? "This nickname will do." : "Leave it empty to read only.");
}

function fillFromFragment() {
  const wanted = new URLSearchParams(location.hash.slice(1));
  const room = [...$("room").options].find((option) => option.value === wanted.get("room"));
  if (room) room.selected = true;
  if (wanted.has("nickname")) $("nickname").value = wanted.get("nickname");
  checkNickname();
}

function onJoin(event) {
  event.preventDefault();
  const nickname = $("nickname").value.trim();
  // Storage may be forbidden; the chat works without.
  try { localStorage.setItem(NICKNAME_KEY, nickname); } catch { /* not remembered */ }
  join({ room: $("room").value, nickname });
  $(nickname ? "text" : "log").focus();
}

function onTextKey(event) {
  // An Enter while composing belongs to the input method.
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    sendText();
  } else if (event.key === "ArrowUp" && $("text").value === "" && state.lastText) {
    event.preventDefault();
    $("text").value = state.lastText;
    showComposer();
  }
}

async function load() {
  try {
    const [rooms, rules] = await Promise.all([getJson("rooms"), getJson("rules")]);
    Object.assign(state, { rules, failures: 0 });
    $("room").replaceChildren(...rooms.map((room) => new Option(room, room)));
  } catch {
    return retryLater("The relay does not answer", load);
  }
  $("rules").textContent = state.rules.rules;
  $("rules").lang = state.rules.main_lang ?? "";
  for (const id of ["room", "nickname", "join-button"]) $(id).disabled = false;
  fillFromFragment();
  enter("away", "Not connected");
  const { version } = await getJson("version").catch(() => ({ version: "" }));
  $("version").textContent = version;
}

const on = (target, name, handler) => target.addEventListener(name, handler);
on($("join"), "submit", onJoin);
on($("leave"), "click", () => { leave("away", "Not connected"); $("room").focus(); });
on($("nickname"), "input", checkNickname);
on($("text"), "input", showComposer);
on($("text"), "keydown", onTextKey);
on($("composer"), "submit", (event) => { event.preventDefault(); sendText(); });
on($("log"), "scroll", onScroll);
on($("to-bottom"), "click", () => { state.follow = true; flush(); $("log").focus(); });
on(window, "hashchange", () => { if (!state.place) fillFromFragment(); });
on(window, "online", () => state.retry?.now());
on(document, "visibilitychange", () => { if (!document.hidden) showTitle(0); });
// Not the window's resize: the box that grows with its text also moves the log.
new ResizeObserver(keepBottom).observe($("log"));
$("people").open = matchMedia("(min-width: 40.01rem)").matches;
try { $("nickname").value = localStorage.getItem(NICKNAME_KEY) ?? ""; } catch { /* forbidden */ }
load();
