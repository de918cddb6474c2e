// `my-filter`: refuses messages that contain a word from its settings.

import { Filter, Pattern, escape, foldCase, passed, reject } from 'gischat-filter';

export default class MyFilter extends Filter {
  name = 'my-filter';
  version = '0.1.0';

  configure({ word, reason }) {
    this.reason = reason;
    this.pattern = Pattern.compile(`\\b${escape(foldCase(word))}\\b`);
  }

  check(message, _sender) {
    return this.pattern.isMatch(message.folded) ? reject(this.reason, { labels: ['word'] }) : passed();
  }
}
