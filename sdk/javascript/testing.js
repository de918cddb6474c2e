// Native tests of a filter in ordinary Node.js: no component, no relay. The types are in testing.d.ts.

import { foldCase, passed } from './gischat-filter.js';
import { Emulation } from './src/emulation.js';
import { enter } from './src/host.js';

const START = new Date('2026-01-01T00:00:00Z');

// Decomposed first, because the iota below a Greek vowel folds to a separate letter.
const folded = (text) => foldCase(text.normalize('NFKD')).normalize('NFKC');

/** A sender who has been connected for an hour. `fields` replace the defaults. */
export const somebody = (fields = {}) => ({
  connection: 1,
  address: 'a1',
  registered: false,
  secondsConnected: 3600,
  accepted: 10,
  refused: 0,
  trusted: false,
  ...fields,
});

export class Harness {
  #Plugin;
  #settings;
  #fresh;
  #relay;
  #filter;
  #ids = 0;

  constructor(Plugin, settings = {}, { at = START, fresh = false } = {}) {
    this.#Plugin = Plugin;
    // As JSON, like the relay.
    this.#settings = JSON.stringify(settings);
    this.#fresh = fresh;
    this.#relay = new Emulation(at.getTime());
    this.#filter = this.#instance();
  }

  get log() {
    return this.#relay.lines;
  }

  get now() {
    return new Date(this.#relay.at);
  }

  advance(seconds) {
    this.#relay.at += Math.round(seconds * 1000);
  }

  inRoom(members, names = []) {
    this.#relay.inRoom = { members, names };
  }

  check(text, { sender, author = 'jane', room = 'QGIS', kind = 'text', avatar, payload, at } = {}) {
    if (at) this.#relay.at = at.getTime();
    const kinds = this.#filter.kinds.length ? this.#filter.kinds : ['text'];
    if (!this.#filter.hooks().includes('check') || !kinds.includes(kind)) return passed();
    this.#ids += 1;
    const message = {
      id: `00000000-0000-4000-8000-${String(this.#ids).padStart(12, '0')}`,
      room,
      author,
      kind,
      text,
      folded: folded(text),
      avatar,
      payload: this.#filter.payload ? payload : undefined,
      at: this.#relay.at,
    };
    return this.#checking((filter) => filter.check(message, somebody(sender)));
  }

  checkNickname(nickname, { room = 'QGIS', sender } = {}) {
    if (!this.#filter.hooks().includes('check-nickname')) return passed();
    return this.#checking((filter) => filter.checkNickname(nickname, room, somebody(sender)));
  }

  #instance() {
    const before = enter(this.#relay);
    try {
      const filter = new this.#Plugin();
      filter.configure(JSON.parse(this.#settings));
      return filter;
    } finally {
      enter(before);
    }
  }

  #checking(run) {
    if (this.#fresh) this.#filter = this.#instance();
    const before = enter(this.#relay);
    this.#relay.checking = true;
    try {
      return run(this.#filter);
    } finally {
      this.#relay.checking = false;
      enter(before);
    }
  }
}
