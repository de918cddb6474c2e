// Native tests: `node --import PATH/sdk/javascript/register.js --test` in this folder.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { passed } from 'gischat-filter';
import { Harness } from 'gischat-filter/testing';

import MyFilter from './filter.js';

test('the word is refused', () => {
  const filter = new Harness(MyFilter, { word: 'spam', reason: 'No.' });
  assert.equal(filter.check('Spam!').action.tag, 'reject');
  assert.deepEqual(filter.check('ham'), passed());
});
