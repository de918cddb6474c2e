/** What a filter for gischat-relay is written with: the contract of sdk/wit/filter.wit, in camel case. */

/** A message on its way to a room. */
export interface Message {
  /** Its own id, a UUID. */
  readonly id: string;
  /** The name of its room. */
  readonly room: string;
  /** The name that it is sent under. */
  readonly author: string;
  /** What it is: `text`, or one of the other kinds that the filter asked for. */
  readonly kind: string;
  /** The words as they were sent, or as a filter before this one replaced them. Empty for kinds without words. */
  readonly text: string;
  /** The words in the form that they are best compared in: Unicode's NFKC, then case folding. */
  readonly folded: string;
  /** The file name of the sender's avatar. */
  readonly avatar?: string;
  /** All of the message as JSON, if the filter asked for it. */
  readonly payload?: string;
  /** When the relay got it, in milliseconds since 1970-01-01T00:00:00Z: `new Date(message.at)`. */
  readonly at: number;
}

/** Who sends a message. */
export interface Sender {
  /** A number for its connection, never used again while the relay runs; undefined for a message without one. */
  readonly connection?: number;
  /** Stands for its address: the same text for the same address while the relay runs, and of no other use. */
  readonly address: string;
  /** Whether it speaks under a nickname that it registered. */
  readonly registered: boolean;
  /** For how many whole seconds it has been connected; 0 without a connection. */
  readonly secondsConnected: number;
  /** How many of its messages were let through before this one, on this connection. */
  readonly accepted: number;
  /** How many were not. */
  readonly refused: number;
  /** Whether a moderator trusts it. */
  readonly trusted: boolean;
}

/** What is to be done with a message. */
export type Action =
  | { tag: 'pass' }
  | { tag: 'replace'; val: string }
  | { tag: 'hold' }
  | { tag: 'shadow' }
  | { tag: 'reject' };

/** A consequence for the sender, which the relay's moderators may let happen. */
export interface Sanction {
  kind: 'warn' | 'mute' | 'kick' | 'ban';
  /** For how long; 0 for what has no duration. */
  seconds: number;
}

/** What a filter says of a message. The functions below make one. */
export interface Verdict {
  action: Action;
  /** For the sender: one sentence. */
  reason?: string;
  /** For moderators: what the message is, such as `advertising`. */
  labels: string[];
  sanction?: Sanction;
}

/** Nothing is to be done; labels still tell moderators something. */
export function passed(more?: { labels?: string[] }): Verdict;
/** The message goes on with this text. */
export function replace(text: string, more?: { reason?: string; labels?: string[] }): Verdict;
/** The message is kept back until a moderator has looked at it. */
export function hold(reason?: string, more?: { labels?: string[]; sanction?: Sanction }): Verdict;
/** The message is shown to its sender alone, who is not told. */
export function shadow(more?: { labels?: string[]; sanction?: Sanction }): Verdict;
/** The message is refused and its sender told why. */
export function reject(reason: string, more?: { labels?: string[]; sanction?: Sanction }): Verdict;

/** What is wrong with the settings of a filter, in words for the operator. */
export class SettingsError extends Error {}

/**
 * A filter: the default export of `filter.js`, with `check` or `checkNickname` or both.
 *
 * An instance may be thrown away at any time and there may be several: what is to be remembered from one message to the
 * next belongs in `store`. What `configure` makes of the settings may well stand in `this`.
 */
export abstract class Filter {
  abstract name: string;
  abstract version: string;
  /** The kinds of message that it wants to see; `['text']` unless it says otherwise. */
  kinds: string[];
  /** Whether it wants `message.payload`, which costs time. */
  payload: boolean;
  /** Called once, before any message. An error refuses the filter; a `SettingsError` says why. */
  configure(settings: Record<string, any>): void;
  /** Says what is to be done with a message. */
  check(message: Message, sender: Sender): Verdict;
  /** Says whether somebody may register a nickname in a room. `replace` is no answer here. */
  checkNickname(nickname: string, room: string, sender: Sender): Verdict;
  /** The names of the functions that it wants called: those that it wrote. */
  hooks(): string[];
}

/** Lines in the relay's log. So many a second, the rest is counted and dropped. */
export const log: {
  write(level: 'debug' | 'info' | 'warn' | 'error', text: string): void;
  debug(text: string): void;
  info(text: string): void;
  warn(text: string): void;
  error(text: string): void;
};

/** The only clock. */
export const clock: {
  /**
   * When the relay got the message that is being checked, in milliseconds since 1970-01-01T00:00:00Z; outside of a
   * check, when the filter was loaded. It does not go on during a check.
   */
  now(): number;
};

/**
 * What a filter remembers from one message to the next. All its instances share it, and no other filter sees it. It is
 * bounded: when it is full, what is nearest to its end goes.
 */
export const store: {
  /** The value of a key; undefined when there is none, or its time is up. A number of `add` is no value. */
  get(key: string): Uint8Array | undefined;
  /** Sets the value of a key for so many seconds. */
  set(key: string, value: Uint8Array, seconds: number): void;
  /**
   * Adds to the number of a key, which is 0 when there is none, and gives the sum. The key is kept for so many seconds
   * from its first number on; later additions do not prolong that. The amount is a whole number and not below 0, unlike
   * in the contract: the engine in the component has a fault there.
   */
  add(key: string, amount: number, seconds: number): number;
};

/** The room of the message that is being checked, as it was when the message came. Empty outside of a check. */
export const room: {
  /** How many connections it has. */
  members(): number;
  /** The registered nicknames, sorted. */
  names(): string[];
};

/** A part of a text, in code points, end exclusive: `Array.from(text).slice(start, end)`. */
export interface Span {
  start: number;
  end: number;
}

/** What is wrong with an expression. */
export class PatternError extends Error {}

/**
 * A regular expression that the relay runs, at full speed and never in more than linear time. The syntax is that of
 * Rust's crate `regex`: Unicode throughout, no look-around, no back-references.
 */
export class Pattern {
  private constructor();
  /** Compiles an expression; throws a `PatternError`. Do so in `configure`, not for each message. */
  static compile(expression: string): Pattern;
  /** Whether it occurs in a text. */
  isMatch(text: string): boolean;
  /** Where it occurs first. */
  find(text: string): Span | undefined;
  /** Where it occurs, in order and without overlaps, at most a thousand times. */
  findAll(text: string): Span[];
  /** The text with each occurrence replaced; `$1` or `$name` stand for groups, `$$` for `$`. */
  replaceAll(text: string, replacement: string): string;
}

/** An expression for this text itself. */
export function escape(text: string): string;

/**
 * Folds the case of a word of the settings, so that it can be compared with `message.folded`.
 *
 * That has Unicode's NFKC, too, which the engine in the component has no tables for: it lacks `String.normalize`. Words
 * as a keyboard gives them are in that form already.
 */
export function foldCase(text: string): string;
