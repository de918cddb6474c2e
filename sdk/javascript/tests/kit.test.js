// Tests of the native harness.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  Filter, Pattern, PatternError, SettingsError, clock, escape, foldCase, log, passed, reject, room, store,
} from 'gischat-filter';
import { Harness } from 'gischat-filter/testing';

class Counter extends Filter {
  name = 'counter';
  version = '0.1.0';

  configure({ most }) {
    if (most === undefined) throw new SettingsError('`most` is missing');
    this.most = most;
  }

  check(message, sender) {
    log.info(`${message.author} at ${clock.now()}`);
    return store.add(sender.address, 1, 10) > this.most ? reject('slow down') : passed();
  }
}

/** Returns the result of `run` within a check. */
function withinACheck(run) {
  let found;
  class Probe extends Filter {
    check() {
      found = run();
      return passed();
    }
  }
  const harness = new Harness(Probe);
  harness.inRoom(2, ['jane', 'bob']);
  harness.check('hello');
  return found;
}

test('later additions do not extend a counter', () => {
  const counter = new Harness(Counter, { most: 1 }, { fresh: true });
  assert.deepEqual(counter.check('a'), passed());
  counter.advance(9.999);
  assert.deepEqual(counter.check('b'), reject('slow down'));
  counter.advance(0.001);
  assert.deepEqual(counter.check('c'), passed());
});

test('senders are distinguished by address', () => {
  const counter = new Harness(Counter, { most: 1 });
  assert.deepEqual(counter.check('a', { sender: { address: 'x' } }), passed());
  assert.deepEqual(counter.check('a', { sender: { address: 'y' } }), passed());
  assert.deepEqual(counter.check('a', { sender: { address: 'x' } }), reject('slow down'));
});

test('the clock shows the time of the message', () => {
  const counter = new Harness(Counter, { most: 1 });
  counter.check('a', { at: new Date('2026-11-23T10:00:00Z') });
  assert.deepEqual(counter.log, [{ level: 'info', text: 'jane at 1795428000000' }]);
});

test('a bad setting refuses the filter', () => {
  assert.throws(() => new Harness(Counter), new SettingsError('`most` is missing'));
});

test('kinds that the filter did not ask for are skipped', () => {
  const counter = new Harness(Counter, { most: 0 });
  assert.deepEqual(counter.check('a', { kind: 'like' }), passed());
  assert.deepEqual(counter.check('a'), reject('slow down'));
});

test('only overridden hooks are called', () => {
  assert.deepEqual(new Counter().hooks(), ['check']);
  assert.deepEqual(new Harness(Counter, { most: 0 }).checkNickname('bob'), passed());
});

test('the room is known only within a check', () => {
  assert.deepEqual(withinACheck(() => [room.members(), room.names()]), [2, ['bob', 'jane']]);
  assert.throws(() => room.members(), /Harness/);
});

test('values and counters are distinct', () => {
  const both = () => {
    store.set('a', new TextEncoder().encode('1'), 10);
    return [store.add('a', 5, 10), store.get('a')];
  };
  assert.deepEqual(withinACheck(both), [5, undefined]);
});

test('a negative amount is rejected because the engine in a component aborts on it', () => {
  assert.throws(() => withinACheck(() => store.add('a', -1, 10)), RangeError);
});

test('spans count code points', () => {
  const spans = withinACheck(() => Pattern.compile('[ab]').findAll('a👍b'));
  assert.deepEqual(spans, [{ start: 0, end: 1 }, { start: 2, end: 3 }]);
});

test('letters of all scripts make words', () => {
  assert.equal(withinACheck(() => Pattern.compile('\\bstrá\\b').isMatch('stráže')), false);
  assert.equal(withinACheck(() => Pattern.compile('(?i)\\bСЛОВО\\b').isMatch('и слово!')), true);
});

test('replacements may refer to groups', () => {
  const swap = () => Pattern.compile('(?P<one>\\w+) (\\w+)\\z').replaceAll('see you', '$2 ${one} $$');
  assert.equal(withinACheck(swap), 'you see $');
});

test('syntax that the relay does not support is rejected', () => {
  for (const expression of ['(?=a)', '(?<!a)', '(a)\\1', '(', '(?P<a>b)(?P=a)']) {
    assert.throws(() => withinACheck(() => Pattern.compile(expression)), PatternError, expression);
  }
});

test('escaped characters match literally', () => {
  for (const text of ['c++', '(?=', 'a b-c&d~e', '1.0', '\\1', '#']) {
    assert.ok(withinACheck(() => Pattern.compile(`^${escape(text)}$`).isMatch(text)), text);
  }
});

test('the harness folds texts like the relay', () => {
  let seen;
  class Probe extends Filter {
    check(message) {
      seen = message.folded;
      return passed();
    }
  }
  const harness = new Harness(Probe);
  const forms = [['ẞ', 'ss'], ['Ｇ', 'g'], ['ﬁ', 'fi'], ['e\u0301', 'é'], ['ΣΑΣ', 'σασ'], ['ı', 'ı']];
  for (const [text, folded] of forms) {
    harness.check(text);
    assert.equal(seen, folded, text);
  }
});

test('foldCase folds the case of a word', () => {
  for (const [text, folded] of [['Straẞe', 'strasse'], ['ÉTÉ', 'été'], ['ΣΑΣ', 'σασ'], ['ı', 'ı']]) {
    assert.equal(foldCase(text), folded, text);
  }
});
