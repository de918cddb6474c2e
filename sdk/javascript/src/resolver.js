// The module resolver that register.js installs.

const KIT = {
  'gischat-filter': new URL('../gischat-filter.js', import.meta.url).href,
  'gischat-filter/testing': new URL('../testing.js', import.meta.url).href,
};

export function resolve(specifier, context, next) {
  return Object.hasOwn(KIT, specifier) ? { url: KIT[specifier], shortCircuit: true } : next(specifier, context);
}
