/** Native tests of a filter in ordinary Node.js: no component, no relay. */

import type { Filter, Sender, Verdict } from './gischat-filter.js';

/** A sender who has been connected for an hour. `fields` replace the defaults. */
export function somebody(fields?: Partial<Sender>): Sender;

/** A filter and the emulated relay around it. Patterns run as JavaScript's, which behave almost like the relay's. */
export class Harness {
  /** With `fresh`, each check runs in a new instance, as it may in the relay: only the store lasts. */
  constructor(plugin: new () => Filter, settings?: Record<string, unknown>, more?: { at?: Date; fresh?: boolean });
  /** The lines that the filter has logged. */
  readonly log: { level: 'debug' | 'info' | 'warn' | 'error'; text: string }[];
  /** The time. Only `advance` and the `at` of a check change it. */
  readonly now: Date;
  /** Advances the clock. */
  advance(seconds: number): void;
  /** Sets the number of connections in the room and its registered nicknames. */
  inRoom(members: number, names?: string[]): void;
  /** Checks a message. `at` sets the clock first. */
  check(text: string, more?: {
    sender?: Partial<Sender>;
    author?: string;
    room?: string;
    kind?: string;
    avatar?: string;
    payload?: string;
    at?: Date;
  }): Verdict;
  /** Checks a nickname. */
  checkNickname(nickname: string, more?: { room?: string; sender?: Partial<Sender> }): Verdict;
}
