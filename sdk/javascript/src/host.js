// The kit's access to the relay: the imports of a component, or an emulation in a native test.

let current;

/** Makes `host` the current host and returns the previous one. */
export function enter(host) {
  const before = current;
  current = host;
  return before;
}

/** Returns the current host. */
export function host() {
  if (!current) throw new Error('there is no relay here: in a test, use Harness of gischat-filter/testing');
  return current;
}
