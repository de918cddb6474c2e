// `quiet-hours`: refuses messages at night, except from trusted senders.

import { Filter, SettingsError, clock, passed, reject } from 'gischat-filter';

const MINUTES_A_DAY = 24 * 60;
const MILLISECONDS_A_MINUTE = 60_000;

export default class QuietHours extends Filter {
  name = 'quiet-hours';
  version = '0.1.0';

  configure({ from, until, utc_offset_minutes: offset = 0, rooms, reason }) {
    this.from = minutesOf('from', from);
    this.until = minutesOf('until', until);
    if (this.from === this.until) throw new SettingsError('`from` and `until` are the same: no hour would be quiet');
    if (!Number.isInteger(offset) || Math.abs(offset) >= MINUTES_A_DAY) {
      throw new SettingsError('`utc_offset_minutes` must be an integer of less than a day');
    }
    if (rooms !== undefined && !(Array.isArray(rooms) && rooms.every((room) => typeof room === 'string'))) {
      throw new SettingsError('`rooms` must be a list of names');
    }
    this.offset = offset;
    this.rooms = rooms && new Set(rooms);
    this.reason = reason ?? `It is quiet here from ${from} until ${until}.`;
    if (typeof this.reason !== 'string') throw new SettingsError('`reason` must be a string');
  }

  check(message, sender) {
    if (sender.trusted || (this.rooms && !this.rooms.has(message.room))) return passed();
    return this.isQuietAt(clock.now()) ? reject(this.reason, { labels: ['quiet-hours'] }) : passed();
  }

  isQuietAt(milliseconds) {
    const minute = modulo(Math.floor(milliseconds / MILLISECONDS_A_MINUTE) + this.offset, MINUTES_A_DAY);
    // Counting from the start of the quiet hours avoids a special case for midnight.
    return modulo(minute - this.from, MINUTES_A_DAY) < modulo(this.until - this.from, MINUTES_A_DAY);
  }
}

/** Parses a time such as `22:00` to minutes since midnight. */
function minutesOf(name, time) {
  const found = typeof time === 'string' && /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time);
  if (!found) throw new SettingsError(`\`${name}\` must be a time of the day, such as "22:00"`);
  return Number(found[1]) * 60 + Number(found[2]);
}

/** The non-negative remainder. */
function modulo(number, divisor) {
  return ((number % divisor) + divisor) % divisor;
}
