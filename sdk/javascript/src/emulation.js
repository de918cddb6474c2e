// A relay in miniature, for native tests: time that stands still, a store in memory, a log that is an array.

// JavaScript takes these for ASCII; the relay's expressions do not.
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d';
const CLASSES = { w: WORD, d: '\\p{Nd}', s: '\\s' };
const EDGE = `(?:(?<=[${WORD}])(?![${WORD}])|(?<![${WORD}])(?=[${WORD}]))`;
const NO_EDGE = `(?:(?<=[${WORD}])(?=[${WORD}])|(?<![${WORD}])(?![${WORD}]))`;
const TOKEN = /\\[pP]\{[^}]*\}|\\[\s\S]|\(\?[a-z]+\)|\(\?(?:P?<(?![=!])|P=|<?[=!])|[[\]]|[\s\S]/gu;
const KEPT = /[\\^$.*+?()[\]{}|/nrtfv]/u;

/** An expression of the relay as one of JavaScript: close to it, not the same. */
function translate(expression) {
  let flags = 'gu';
  let depth = 0;
  const source = expression.replace(TOKEN, (token, at) => {
    if (token === '[') depth += 1;
    if (token === ']' && depth > 0) depth -= 1;
    if (/^\(\?(?:P=|<?[=!])/u.test(token) || /^\\[1-9]/u.test(token)) {
      throw new SyntaxError(`the relay's expressions have no look-around and no back-references: ${token}`);
    }
    if (/^\(\?P?</u.test(token)) return '(?<';
    if (/^\(\?[a-z]+\)$/u.test(token)) {
      if (at > 0) throw new SyntaxError(`flags are known at the beginning alone, in this emulation: ${token}`);
      flags += token.slice(2, -1).replace('u', '');
      return '';
    }
    if (token.length !== 2 || token[0] !== '\\') return token;
    const sign = token[1];
    if (sign in CLASSES) return depth ? CLASSES[sign] : `[${CLASSES[sign]}]`;
    if (sign === 'W' || sign === 'D') return `${depth ? '' : '['}^${CLASSES[sign.toLowerCase()]}${depth ? '' : ']'}`;
    if (sign === 'b') return EDGE;
    if (sign === 'B') return NO_EDGE;
    if (sign === 'A') return '(?<![\\s\\S])';
    if (sign === 'z') return '(?![\\s\\S])';
    // Signs that JavaScript would not have escaped outside of a class.
    return KEPT.test(sign) || /[a-zA-Z]/u.test(sign) || (depth && sign === '-') ? token : sign;
  });
  return new RegExp(source, flags);
}

const points = (text, end) => Array.from(text.slice(0, end)).length;

class EmulatedPattern {
  constructor(expression) {
    this.pattern = translate(expression);
  }

  isMatch(text) {
    return text.search(this.pattern) >= 0;
  }

  find(text) {
    return this.findAll(text)[0];
  }

  findAll(text) {
    const spans = [];
    for (const { 0: found, index } of text.matchAll(this.pattern)) {
      if (spans.length === 1000) break;
      spans.push({ start: points(text, index), end: points(text, index + found.length) });
    }
    return spans;
  }

  replaceAll(text, replacement) {
    return text.replace(this.pattern, (...found) => {
      const named = typeof found.at(-1) === 'object' ? found.at(-1) : {};
      return replacement.replace(/\$(?:\$|\{([^}]*)\}|(\w+))/gu, (whole, braced, bare) => {
        if (whole === '$$') return '$';
        const name = braced ?? bare;
        const group = /^\d+$/u.test(name) ? found[Number(name)] : named[name];
        return typeof group === 'string' ? group : '';
      });
    });
  }
}

/** The relay as a filter sees it. Its store has no bounds. */
export class Emulation {
  lines = [];
  inRoom = { members: 0, names: [] };
  checking = false;
  #store = new Map();

  constructor(at) {
    this.at = at;
  }

  write(level, text) {
    this.lines.push({ level, text });
  }

  now() {
    return this.at;
  }

  get(key) {
    const value = this.#alive(key)?.value;
    return value instanceof Uint8Array ? value : undefined;
  }

  set(key, value, seconds) {
    this.#store.set(key, { value: Uint8Array.from(value), ends: this.at + seconds * 1000 });
  }

  add(key, amount, seconds) {
    const entry = this.#alive(key);
    if (typeof entry?.value === 'number') return (entry.value += amount);
    this.#store.set(key, { value: amount, ends: this.at + seconds * 1000 });
    return amount;
  }

  members() {
    return this.checking ? this.inRoom.members : 0;
  }

  names() {
    return this.checking ? [...this.inRoom.names].sort() : [];
  }

  compile(expression) {
    return new EmulatedPattern(expression);
  }

  #alive(key) {
    const entry = this.#store.get(key);
    return entry && entry.ends > this.at ? entry : undefined;
  }
}
