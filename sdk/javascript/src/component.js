// The kit inside a component: connects the imports to the kit, and the filter to the contract's functions.

import * as clock from 'gischat:filter/clock@1.0.0';
import * as log from 'gischat:filter/log@1.0.0';
import { Pattern } from 'gischat:filter/regex@1.0.0';
import * as room from 'gischat:filter/room@1.0.0';
import * as store from 'gischat:filter/store@1.0.0';

import { Filter, PatternError, SettingsError } from '../gischat-filter.js';
import { enter } from './host.js';

// 64-bit numbers cross the boundary as `bigint`. All of these fit into the 53 bits in which a number is exact.
const relay = {
  write: (level, text) => log.write(level, text),
  now: () => Number(clock.now()),
  get: (key) => store.get(key) ?? undefined,
  set: (key, value, seconds) => store.set(key, value, seconds),
  add: (key, amount, seconds) => Number(store.add(key, BigInt(amount), seconds)),
  members: () => room.members(),
  names: () => room.names(),
  compile: (expression) => Pattern.compile(expression),
};

const messageOf = (message) => ({ ...message, at: Number(message.at) });

const senderOf = (sender) => ({
  ...sender,
  connection: sender.connection === undefined ? undefined : Number(sender.connection),
  secondsConnected: Number(sender.secondsConnected),
  accepted: Number(sender.accepted),
  refused: Number(sender.refused),
});

function verdictOf(verdict) {
  if (!verdict?.action) throw new TypeError(`a check must return a verdict, not ${verdict}`);
  const { action, reason, labels, sanction } = verdict;
  return { action, reason, labels, sanction: sanction && { ...sanction, seconds: BigInt(sanction.seconds) } };
}

// Line numbers in the stack refer to the bundle.
const report = (error) => log.write('error', `${error}\n${error?.stack ?? ''}`.trim());

function logged(run) {
  try {
    return run();
  } catch (error) {
    report(error);
    throw error;
  }
}

/** Returns the exports for a filter. */
export function guestOf(Plugin) {
  enter(relay);
  const filter = new Plugin();
  // Checked now, so that a mistake fails the build and not the relay.
  if (!(filter instanceof Filter)) throw new TypeError('the default export of filter.js is not a subclass of Filter');
  if (!filter.name || !filter.version) throw new TypeError('the filter has no name or no version');
  return {
    describe: () => ({
      name: filter.name,
      version: filter.version,
      kinds: filter.kinds,
      hooks: filter.hooks(),
      payload: filter.payload,
    }),
    configure(settings) {
      try {
        filter.configure(JSON.parse(settings));
      } catch (error) {
        // A thrown string becomes the contract's error; an `Error` would become a trap.
        if (error instanceof SettingsError || error instanceof PatternError) throw error.message;
        report(error);
        throw String(error);
      }
    },
    check: (message, sender) => logged(() => verdictOf(filter.check(messageOf(message), senderOf(sender)))),
    checkNickname: (nickname, name, sender) =>
      logged(() => verdictOf(filter.checkNickname(nickname, name, senderOf(sender)))),
  };
}
