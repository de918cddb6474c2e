// The same filter as in `../rust` and `../python`. Uses every feature of the contract.

import { Filter, Pattern, clock, hold, passed, reject, replace, room, shadow, store } from 'gischat-filter';

export default class Same extends Filter {
  name = 'same';
  version = '0.1.0';
  kinds = ['text', 'like'];

  configure(settings) {
    this.settings = settings;
    this.words = Pattern.compile(`\\b(?:${settings.words.join('|').toLowerCase()})\\b`);
    this.addresses = Pattern.compile(String.raw`\b(\w)\w*@(\w+\.\w+)`);
    this.mentions = Pattern.compile(String.raw`@\w+`);
  }

  check(message, sender) {
    if (sender.trusted) return passed({ labels: ['trusted'] });
    const found = this.words.find(message.folded);
    if (found) {
      const word = Array.from(message.folded).slice(found.start, found.end).join('');
      const sanction = { kind: 'mute', seconds: 60 };
      return reject(`“${word}” is no word for ${message.room}.`, { labels: ['word'], sanction });
    }
    const hour = Math.floor(clock.now() / 3_600_000) % 24;
    if (hour >= this.settings.closes) return hold(`It is ${hour} o'clock.`);
    const settled = sender.secondsConnected >= this.settings.settles && sender.refused === 0;
    if (message.text.includes('https://') && !sender.registered && sender.accepted === 0 && !settled) {
      return shadow({ labels: ['newcomer'] });
    }
    if (this.addresses.isMatch(message.text)) {
      return replace(this.addresses.replaceAll(message.text, '${1}…@$2'), { labels: ['address'] });
    }
    const text = this.withoutMentionsOfNobody(message.text);
    if (text !== message.text) return replace(text, { labels: ['mention'] });
    return this.again(message, sender) ?? passed({ labels: room.members() >= this.settings.crowd ? ['crowd'] : [] });
  }

  checkNickname(nickname, room, sender) {
    if (this.settings.reserved.includes(nickname) && !sender.trusted) return reject(`Nobody is ${nickname} of ${room}.`);
    return passed();
  }

  /** The verdict on a text that this address has just sent. */
  again(message, sender) {
    const last = `last ${sender.address}`;
    const before = store.get(last);
    const isAgain = before !== undefined && new TextDecoder().decode(before) === message.folded;
    store.set(last, new TextEncoder().encode(message.folded), 60);
    if (!isAgain) return undefined;
    const times = store.add(`times ${sender.address} ${message.folded}`, 1, 60) + 1;
    const labels = ['again'];
    return times > this.settings.most ? reject(`This was said ${times} times.`, { labels }) : passed({ labels });
  }

  withoutMentionsOfNobody(text) {
    const points = Array.from(text);
    const names = room.names();
    const part = (start, end) => points.slice(start, end).join('');
    let clear = '';
    let end = 0;
    for (const span of this.mentions.findAll(text)) {
      const name = part(span.start + 1, span.end);
      clear += part(end, span.start) + (names.includes(name) ? '@' : '') + name;
      end = span.end;
    }
    return clear + part(end);
  }
}
