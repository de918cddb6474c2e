// The kit for gischat-relay filters. The types are documented in gischat-filter.d.ts; the contract is
// sdk/wit/filter.wit.

import { host } from './src/host.js';

export class SettingsError extends Error {}

export class PatternError extends Error {}

export class Filter {
  kinds = ['text'];
  payload = false;

  configure(_settings) {}

  check(_message, _sender) {
    return passed();
  }

  checkNickname(_nickname, _room, _sender) {
    return passed();
  }

  hooks() {
    const hooks = [];
    if (this.check !== Filter.prototype.check) hooks.push('check');
    if (this.checkNickname !== Filter.prototype.checkNickname) hooks.push('check-nickname');
    return hooks;
  }
}

const verdict = (action, { reason, labels = [], sanction } = {}) => ({ action, reason, labels: [...labels], sanction });

export const passed = (more) => verdict({ tag: 'pass' }, more);
export const replace = (text, more) => verdict({ tag: 'replace', val: text }, more);
export const hold = (reason, more) => verdict({ tag: 'hold' }, { ...more, reason });
export const shadow = (more) => verdict({ tag: 'shadow' }, more);
export const reject = (reason, more) => verdict({ tag: 'reject' }, { ...more, reason });

export const log = {
  write: (level, text) => host().write(level, text),
  debug: (text) => host().write('debug', text),
  info: (text) => host().write('info', text),
  warn: (text) => host().write('warn', text),
  error: (text) => host().write('error', text),
};

export const clock = { now: () => host().now() };

// https://github.com/bytecodealliance/ComponentizeJS/issues/343: the engine aborts on negative 64-bit numbers.
function add(key, amount, seconds) {
  if (!Number.isSafeInteger(amount) || amount < 0) {
    throw new RangeError(`\`amount\` is ${amount}; it must be a non-negative integer`);
  }
  return host().add(key, amount, seconds);
}

export const store = {
  get: (key) => host().get(key),
  set: (key, value, seconds) => host().set(key, value, seconds),
  add,
};

export const room = { members: () => host().members(), names: () => host().names() };

export class Pattern {
  #pattern;

  constructor(pattern) {
    this.#pattern = pattern;
  }

  static compile(expression) {
    try {
      return new Pattern(host().compile(expression));
    } catch (error) {
      throw new PatternError(error.payload ?? error.message ?? String(error));
    }
  }

  isMatch(text) {
    return this.#pattern.isMatch(text);
  }

  find(text) {
    return this.#pattern.find(text);
  }

  findAll(text) {
    return this.#pattern.findAll(text);
  }

  replaceAll(text, replacement) {
    return this.#pattern.replaceAll(text, replacement);
  }
}

export const escape = (text) => text.replace(/[\\.+*?()|[\]{}^$#&\-~]/g, '\\$&');

// JavaScript has no case folding. Lower, upper and lower case again is equivalent except for the dotless ı, which
// stays.
const foldChar = (char) => (char === 'ı' ? char : char.toLowerCase().toUpperCase().toLowerCase());

export const foldCase = (text) => Array.from(text, foldChar).join('');
