/** Native tests of a filter: no component, no relay, ordinary node. */

import type { Filter, Sender, Verdict } from './gischat-filter.js';

/** A sender who has been there for an hour, but for these fields. */
export function somebody(fields?: Partial<Sender>): Sender;

/** A filter and the relay in miniature around it. Its patterns are JavaScript's, close to the relay's, not the same. */
export class Harness {
  /** `fresh` makes a new instance for each check, as the relay may: what is remembered must be in the store. */
  constructor(plugin: new () => Filter, settings?: Record<string, unknown>, more?: { at?: Date; fresh?: boolean });
  /** The lines that the filter wrote. */
  readonly log: { level: 'debug' | 'info' | 'warn' | 'error'; text: string }[];
  /** The time; it goes on by `advance` alone. */
  readonly now: Date;
  /** Lets time go on. */
  advance(seconds: number): void;
  /** Sets how many connections the room has, and the registered names. */
  inRoom(members: number, names?: string[]): void;
  /** What the filter says of a message. `at` sets the time, as the message's arrival does. */
  check(text: string, more?: {
    sender?: Partial<Sender>;
    author?: string;
    room?: string;
    kind?: string;
    avatar?: string;
    payload?: string;
    at?: Date;
  }): Verdict;
  /** What the filter says of a nickname. */
  checkNickname(nickname: string, more?: { room?: string; sender?: Partial<Sender> }): Verdict;
}
