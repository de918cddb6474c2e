// Native tests: `node --import ../../sdk/javascript/register.js --test` in this folder.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { SettingsError, passed, reject } from 'gischat-filter';
import { Harness } from 'gischat-filter/testing';

import QuietHours from './filter.js';

const night = { from: '22:00', until: '07:00', reason: 'Good night.' };
const quiet = reject('Good night.', { labels: ['quiet-hours'] });
const at = (time) => ({ at: new Date(`2026-11-23T${time}Z`) });

test('the quiet hours may span midnight', () => {
  const hours = new Harness(QuietHours, night);
  for (const time of ['22:00:00', '23:59:59', '00:00:00', '06:59:59']) {
    assert.deepEqual(hours.check('hello', at(time)), quiet, time);
  }
  for (const time of ['07:00:00', '12:00:00', '21:59:59']) {
    assert.deepEqual(hours.check('hello', at(time)), passed(), time);
  }
});

test('an offset from UTC shifts the hours', () => {
  const hours = new Harness(QuietHours, { ...night, utc_offset_minutes: 90 });
  assert.deepEqual(hours.check('hello', at('20:30:00')), quiet);
  assert.deepEqual(hours.check('hello', at('05:30:00')), passed());
});

test('trusted senders and unlisted rooms have no quiet hours', () => {
  const hours = new Harness(QuietHours, { ...night, rooms: ['QGIS'] });
  assert.deepEqual(hours.check('hello', { ...at('23:00:00'), sender: { trusted: true } }), passed());
  assert.deepEqual(hours.check('hello', { ...at('23:00:00'), room: 'GRASS' }), passed());
  assert.deepEqual(hours.check('hello', { ...at('23:00:00'), room: 'QGIS' }), quiet);
});

test('the default reason names the hours', () => {
  const hours = new Harness(QuietHours, { from: '22:00', until: '07:00' });
  assert.equal(hours.check('hello', at('23:00:00')).reason, 'It is quiet here from 22:00 until 07:00.');
});

test('bad settings refuse the filter', () => {
  const hours = [{ from: '24:00' }, { until: 7 }, { until: '22:00' }];
  const bad = [...hours, { utc_offset_minutes: 0.5 }, { rooms: 'QGIS' }, { reason: 1 }];
  for (const settings of bad) {
    assert.throws(() => new Harness(QuietHours, { ...night, ...settings }), SettingsError, JSON.stringify(settings));
  }
});
