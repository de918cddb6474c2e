// An emulated relay for native tests: a clock that the test advances, a store in memory, and a log that is an array.

// These classes are ASCII-only in JavaScript, but not in the relay.
const WORD = '\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d';
const CLASSES = { w: WORD, d: '\\p{Nd}', s: '\\s' };
const BOUNDARY = `(?:(?<=[${WORD}])(?![${WORD}])|(?<![${WORD}])(?=[${WORD}]))`;
const NO_BOUNDARY = `(?:(?<=[${WORD}])(?=[${WORD}])|(?<![${WORD}])(?![${WORD}]))`;
const TOKEN = /\\[pP]\{[^}]*\}|\\[\s\S]|\(\?[a-z]+\)|\(\?(?:P?<(?![=!])|P=|<?[=!])|[[\]]|[\s\S]/gu;
const ESCAPABLE = /[\\^$.*+?()[\]{}|/nrtfv]/u;

/** Translates an expression of the relay to JavaScript. The result behaves almost the same. */
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
      if (at > 0) throw new SyntaxError(`this emulation supports flags only at the beginning: ${token}`);
      flags += token.slice(2, -1).replace('u', '');
      return '';
    }
    if (token.length !== 2 || token[0] !== '\\') return token;
    const char = token[1];
    if (char in CLASSES) return depth ? CLASSES[char] : `[${CLASSES[char]}]`;
    if (char === 'W' || char === 'D') return `${depth ? '' : '['}^${CLASSES[char.toLowerCase()]}${depth ? '' : ']'}`;
    if (char === 'b') return BOUNDARY;
    if (char === 'B') return NO_BOUNDARY;
    if (char === 'A') return '(?<![\\s\\S])';
    if (char === 'z') return '(?![\\s\\S])';
    // JavaScript rejects unnecessary escapes outside of a class.
    return ESCAPABLE.test(char) || /[a-zA-Z]/u.test(char) || (depth && char === '-') ? token : char;
  });
  return new RegExp(source, flags);
}

const codePoints = (text, end) => Array.from(text.slice(0, end)).length;

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
      spans.push({ start: codePoints(text, index), end: codePoints(text, index + found.length) });
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

/** The emulated relay. Its store has no bounds. */
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
    const value = this.#unexpired(key)?.value;
    return value instanceof Uint8Array ? value : undefined;
  }

  set(key, value, seconds) {
    this.#store.set(key, { value: Uint8Array.from(value), expiresAt: this.at + seconds * 1000 });
  }

  add(key, amount, seconds) {
    const entry = this.#unexpired(key);
    if (typeof entry?.value === 'number') return (entry.value += amount);
    this.#store.set(key, { value: amount, expiresAt: this.at + seconds * 1000 });
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

  #unexpired(key) {
    const entry = this.#store.get(key);
    return entry && entry.expiresAt > this.at ? entry : undefined;
  }
}
