// The chat page: rendering and user input.
import { Connection, Retry, getRooms, getRules, getVersion, nicknameProblem } from "./relay.js";

const LOG_LINES = 500;
const NICKNAME_KEY = "gischat.nickname";
const HUES = 6;

const state = {
  rules: null, // response of /rules
  loading: new Retry(), // loads the data that joining a room requires
  connection: null, // while joined or joining
  phase: "away", // away | waiting (for the connection) | live | closed (by the moderators)
  pending: [], // log lines not yet on the page
  flushTimer: null,
  follow: true, // keep the log scrolled to its end
  lastText: "", unread: 0,
};

const $ = (id) => document.getElementById(id);
const draft = () => $("text").value.trim();
const codePoints = (text) => [...text].length;

// String children become text nodes, never markup.
function element(tag, className, ...children) {
  const node = document.createElement(tag);
  node.className = className;
  node.append(...children);
  return node;
}

function join(room, nickname) {
  state.connection = new Connection(room, nickname, events);
  Object.assign(state, { pending: [], follow: true });
  $("log").replaceChildren();
  history.replaceState(null, "", `#${new URLSearchParams({ room })}`);
  state.connection.open();
}

function leave(phase, words) {
  state.connection?.leave();
  state.connection = null;
  enter(phase, words);
}

const events = { // callbacks of the connection
  connecting: () => enter("waiting", "Connecting…"),
  connected() {
    const { room, nickname } = state.connection;
    enter("live", "Connected");
    if (!nickname) addLine("presence", `You are reading ${room}`);
  },
  named() { // until then, the nickname may turn out to be in use
    const { room, nickname } = state.connection;
    showPlace();
    addLine("presence", `You joined ${room} as ${nickname}`);
  },
  lost(why, isNews) {
    if (isNews) addLine("presence", why);
    enter("waiting", why);
  },
  retrying: (why, seconds) => showStatus(`${why}; reconnecting in ${seconds} s`),
  closed(reason) {
    addLine("warning", reason ? `Closed by the moderators: ${reason}` : "Closed by the moderators");
    leave("closed", "Closed by the moderators");
  },
  people: showPeople,
  joined: (name) => addLine("presence", `${name} joined`),
  left: (name) => addLine("presence", `${name} left`),
  message: addMessage,
  notice: (text) => addLine("notice", text),
  warning: (text) => addLine("warning", text),
  liked: (name, text) => addLine("notice", `${name} likes your message: ${text}`),
};

function sendText() {
  if (!canSend()) return;
  const text = draft();
  state.connection.send(text);
  Object.assign(state, { lastText: text, follow: true });
  $("text").value = "";
  showComposer();
}

function addLine(kind, text) {
  push(element("div", `line ${kind}`, timeNow(), element("p", "body", text)));
}

function addMessage(author, text) {
  const own = author === state.connection.nickname;
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
  if (name === state.connection?.nickname) tag.push(element("span", "you", "you"));
  return tag;
}

// Lines are added to the page in batches, because a busy room would otherwise force a layout
// for each line. Uses a timer, because a hidden page gets no animation frames.
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
  const { connection } = state;
  state.phase = document.body.dataset.phase = phase;
  $("join").hidden = connection !== null;
  $("joined").hidden = $("people").hidden = connection === null;
  showPlace();
  showStatus(words);
  showPeople();
  showComposer();
  showTitle(state.unread);
}

function showPlace() {
  const { room, nickname, named } = state.connection ?? {};
  const registration = named ? `as ${nickname}` : `not yet as ${nickname}`;
  $("joined-room").textContent = room;
  $("joined-as").textContent = nickname ? registration : "reading only";
}

const showStatus = (words) => { $("status").textContent = words; };

function showPeople() {
  const { users, connections } = state.connection ?? { users: [], connections: 0 };
  $("people-count").textContent = state.phase === "live" && connections ? `${connections} connected` : "";
  $("users").replaceChildren(...users.map((name) => element("li", "", ...nameTag(name))));
}

const canSend = () => state.phase === "live" && state.connection.nickname !== ""
  && draft() !== "" && codePoints(draft()) <= state.rules.max_message_length;

function showComposer() {
  const longest = state.rules.max_message_length;
  const length = codePoints(draft());
  // The box stays usable while reconnecting, so that focus and draft are not lost.
  $("text").disabled = !state.connection?.nickname;
  $("text").ariaInvalid = String(length > longest);
  $("send").disabled = !canSend();
  $("counter").textContent = state.connection?.nickname ? `${length} / ${longest}` : "";
  $("composer-hint").textContent = composerHint(length - longest);
}

function composerHint(excess) {
  if (!state.connection) return "Join a room to write.";
  if (!state.connection.nickname) return "You are reading only. To write, leave and join with a nickname.";
  if (excess > 0) return `Too long by ${excess} ${excess === 1 ? "character" : "characters"}.`;
  if (state.phase !== "live") return "Your text can be sent once the connection is back.";
  if (matchMedia("(pointer: coarse)").matches) return "";
  return "Enter sends, Shift+Enter starts a line, ↑ brings back your last text.";
}

function showTitle(unread) {
  state.unread = unread;
  document.title = `${unread ? `(${unread}) ` : ""}${state.connection ? `${state.connection.room} · ` : ""}gischat`;
}

function checkNickname() {
  const nickname = $("nickname").value.trim();
  const problem = nicknameProblem(nickname, state.rules);
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
  // Storage may be blocked; the chat works without it.
  try { localStorage.setItem(NICKNAME_KEY, nickname); } catch { /* not remembered */ }
  join($("room").value, nickname);
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
    const [rooms, rules] = await Promise.all([getRooms(), getRules()]);
    state.rules = rules;
    $("room").replaceChildren(...rooms.map((room) => new Option(room, room)));
  } catch {
    return state.loading.schedule(load, (left) => showStatus(`The relay does not answer; trying again in ${left} s`));
  }
  $("rules").textContent = state.rules.rules;
  $("rules").lang = state.rules.main_lang ?? "";
  for (const id of ["room", "nickname", "join-button"]) $(id).disabled = false;
  fillFromFragment();
  enter("away", "Not connected");
  const { version } = await getVersion().catch(() => ({ version: "" }));
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
on(window, "hashchange", () => { if (!state.connection) fillFromFragment(); });
on(window, "online", () => (state.connection?.retry ?? state.loading).now());
on(document, "visibilitychange", () => { if (!document.hidden) showTitle(0); });
// Not the window's resize event: the text box also resizes the log when it grows.
new ResizeObserver(keepBottom).observe($("log"));
$("people").open = matchMedia("(min-width: 40.01rem)").matches;
try { $("nickname").value = localStorage.getItem(NICKNAME_KEY) ?? ""; } catch { /* blocked */ }
load();
