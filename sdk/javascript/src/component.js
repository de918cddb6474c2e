// The kit inside of a component: the relay behind its imports, and the filter behind the contract's functions.

import * as clock from 'gischat:filter/clock@1.0.0';
import * as log from 'gischat:filter/log@1.0.0';
import { Pattern } from 'gischat:filter/regex@1.0.0';
import * as room from 'gischat:filter/room@1.0.0';
import * as store from 'gischat:filter/store@1.0.0';

import { Filter, PatternError, SettingsError } from '../gischat-filter.js';
import { enter } from './host.js';

// Numbers of 64 bits are `bigint` at the border. None of these leaves the 53 bits that a number is exact in.
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
  if (!verdict?.action) throw new TypeError(`a check must give a verdict, not ${verdict}`);
  const { action, reason, labels, sanction } = verdict;
  return { action, reason, labels, sanction: sanction && { ...sanction, seconds: BigInt(sanction.seconds) } };
}

// Lines of the stack are those of the bundle.
const report = (error) => log.write('error', `${error}\n${error?.stack ?? ''}`.trim());

function logged(run) {
  try {
    return run();
  } catch (error) {
    report(error);
    throw error;
  }
}

/** The exports for a filter. */
export function guestOf(Plugin) {
  enter(relay);
  const filter = new Plugin();
  // Now, so that a build fails and not a relay.
  if (!(filter instanceof Filter)) throw new TypeError('the default export of filter.js is no subclass of Filter');
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
        // A text is the error of the contract; an `Error` would be a trap.
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
