// Where the kit finds the relay: in a component behind its imports, in a native test in an emulation.

let current;

/** Makes `host` the relay, and gives the one before it. */
export function enter(host) {
  const before = current;
  current = host;
  return before;
}

/** The relay. */
export function host() {
  if (!current) throw new Error('there is no relay here: in a test, use Harness of gischat-filter/testing');
  return current;
}
