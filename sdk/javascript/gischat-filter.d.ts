/** The kit for gischat-relay filters: the contract of sdk/wit/filter.wit in camel case. */

/** A message on its way to a room. */
export interface Message {
  /** Its own id, a UUID. */
  readonly id: string;
  /** The name of its room. */
  readonly room: string;
  /** The name that the message is sent under. */
  readonly author: string;
  /** The kind: `text`, or another one that the filter asked for. */
  readonly kind: string;
  /** The text as it was sent, or as an earlier filter replaced it. Empty for kinds without text. */
  readonly text: string;
  /** The text in a form for comparison: NFKC, then case folding. */
  readonly folded: string;
  /** The file name of the sender's avatar. */
  readonly avatar?: string;
  /** The whole message as JSON, if the filter asked for it. */
  readonly payload?: string;
  /** When the relay received it, in milliseconds since 1970-01-01T00:00:00Z: `new Date(message.at)`. */
  readonly at: number;
}

/** The sender of a message. */
export interface Sender {
  /** The number of its connection, never reused while the relay runs; undefined for a message without a connection. */
  readonly connection?: number;
  /** An opaque token for its address: the same address has the same token while the relay runs. */
  readonly address: string;
  /** Whether it sends under a nickname that it registered. */
  readonly registered: boolean;
  /** How long it has been connected, in whole seconds; 0 without a connection. */
  readonly secondsConnected: number;
  /** How many messages on this connection were accepted before this one. */
  readonly accepted: number;
  /** How many messages on this connection were refused before this one. */
  readonly refused: number;
  /** Whether a moderator trusts it. */
  readonly trusted: boolean;
}

/** What to do with a message. */
export type Action =
  | { tag: 'pass' }
  | { tag: 'replace'; val: string }
  | { tag: 'hold' }
  | { tag: 'shadow' }
  | { tag: 'reject' };

/** A proposed sanction against the sender. The relay applies it if the filter enforces. */
export interface Sanction {
  kind: 'warn' | 'mute' | 'kick' | 'ban';
  /** The duration in seconds; 0 for a sanction without a duration. */
  seconds: number;
}

/** A filter's verdict on a message. Made by the functions below. */
export interface Verdict {
  action: Action;
  /** The reason that the sender sees: one sentence. */
  reason?: string;
  /** Labels for moderators, such as `advertising`. */
  labels: string[];
  sanction?: Sanction;
}

/** Passes the message on, with optional labels for moderators. */
export function passed(more?: { labels?: string[] }): Verdict;
/** Passes the message on with this text instead of its own. */
export function replace(text: string, more?: { reason?: string; labels?: string[] }): Verdict;
/** Holds the message for a moderator. */
export function hold(reason?: string, more?: { labels?: string[]; sanction?: Sanction }): Verdict;
/** Shows the message only to its sender, without saying so. */
export function shadow(more?: { labels?: string[]; sanction?: Sanction }): Verdict;
/** Refuses the message and tells its sender why. */
export function reject(reason: string, more?: { labels?: string[]; sanction?: Sanction }): Verdict;

/** The reason why a filter's settings are invalid, in words for the operator. */
export class SettingsError extends Error {}

/**
 * A filter: the default export of `filter.js`, with `check`, `checkNickname` or both.
 *
 * Instances may be discarded at any time, and several may run concurrently: state that must last from one message to
 * the next belongs in `store`. `this` may hold what `configure` computes from the settings.
 */
export abstract class Filter {
  abstract name: string;
  abstract version: string;
  /** The kinds of message that it checks; `['text']` by default. */
  kinds: string[];
  /** Whether it needs `message.payload`, which costs time. */
  payload: boolean;
  /** Called once, before any message. Throw a `SettingsError` to reject the settings; any error prevents loading. */
  configure(settings: Record<string, any>): void;
  /** Returns the verdict on a message. */
  check(message: Message, sender: Sender): Verdict;
  /** Returns the verdict on the registration of a nickname in a room. `replace` is not allowed here. */
  checkNickname(nickname: string, room: string, sender: Sender): Verdict;
  /** The names of the functions that the relay calls: those that the subclass overrides. */
  hooks(): string[];
}

/** Writes to the relay's log. The number of lines per second is limited; further lines are counted and dropped. */
export const log: {
  write(level: 'debug' | 'info' | 'warn' | 'error', text: string): void;
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
};

/** The only clock that a filter has. */
export const clock: {
  /**
   * The time at which the relay received the message being checked, in milliseconds since 1970-01-01T00:00:00Z.
   * Outside of a check, the time at which the filter was loaded. The clock does not advance during a check.
   */
  now(): number;
};

/**
 * A key-value store that outlives instances. All instances of a filter share one store; filters do not see each
 * other's. The store is bounded: when it is full, the entries that expire first are removed.
 */
export const store: {
  /** The value of a key; undefined if the key is missing, has expired, or is a counter written by `add`. */
  get(key: string): Uint8Array | undefined;
  /** Sets a key to a value that expires after `seconds`. */
  set(key: string, value: Uint8Array, seconds: number): void;
  /**
   * Adds `amount` to the counter at a key and returns the sum. A missing key counts as 0. The key expires `seconds`
   * after its first addition; later additions do not extend that. Unlike in the contract, `amount` must be a
   * non-negative integer: the engine in the component aborts on negative numbers.
   */
  add(key: string, amount: number, seconds: number): number;
};

/** The room of the message being checked, as it was when the message arrived. Empty outside of a check. */
export const room: {
  /** The number of connections. */
  members(): number;
  /** The registered nicknames, sorted. */
  names(): string[];
};

/** A part of a text, in code points, end exclusive: `Array.from(text).slice(start, end)`. */
export interface Span {
  start: number;
  end: number;
}

/** The reason why an expression does not compile. */
export class PatternError extends Error {}

/**
 * A regular expression that the relay runs, at native speed and in linear time. The syntax is that of the Rust crate
 * `regex`: Unicode throughout, no look-around, no back-references.
 */
export class Pattern {
  private constructor();
  /** Compiles an expression; may throw a `PatternError`. Call it in `configure`, not for each message. */
  static compile(expression: string): Pattern;
  /** Whether the text has a match. */
  isMatch(text: string): boolean;
  /** The first match. */
  find(text: string): Span | undefined;
  /** All matches, in order and without overlaps; at most 1000. */
  findAll(text: string): Span[];
  /** The text with each match replaced. `$1` and `$name` stand for groups, `$$` for `$`. */
  replaceAll(text: string, replacement: string): string;
}

/** Escapes a text so that it matches literally. */
export function escape(text: string): string;

/**
 * Folds the case of a word from the settings, for comparison with `message.folded`.
 *
 * `message.folded` is in NFKC, too. The engine in the component lacks `String.normalize`, so this function cannot
 * normalize; words typed on a keyboard are usually in NFKC already.
 */
export function foldCase(text: string): string;
