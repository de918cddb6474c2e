// Builds a component from a plugin's `filter.js`: node build.js NODE_MODULES PLUGIN OUTPUT
//
// esbuild bundles the filter and the kit; componentize-js puts the bundle and the engine into a component. Both tools
// are loaded from NODE_MODULES, which need not be a parent of this file.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [modules, plugin, output] = process.argv.slice(2).map((path) => resolve(path));
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

const esbuild = createRequire(join(modules, 'any.js'))('esbuild');
const { componentize } = await import(
  pathToFileURL(join(modules, '@bytecodealliance/componentize-js/src/componentize.js'))
);

// componentize-js reads the bundle from a file.
const folder = await mkdtemp(join(tmpdir(), 'gischat-filter-'));
try {
  const sourcePath = join(folder, 'filter.js');
  await esbuild.build({
    stdin: {
      contents: `
        import Plugin from ${JSON.stringify(join(plugin, 'filter.js'))};
        import { guestOf } from ${JSON.stringify(here('src/component.js'))};
        export const guest = guestOf(Plugin);
      `,
      resolveDir: plugin,
    },
    bundle: true,
    format: 'esm',
    target: 'es2022',
    alias: { 'gischat-filter': here('gischat-filter.js') },
    external: ['gischat:filter/*'],
    outfile: sourcePath,
    logLevel: 'warning',
  });
  const { component } = await componentize({
    sourcePath,
    witPath: here('../wit'),
    worldName: 'filter',
    // Without these features the component imports only the contract.
    disableFeatures: ['random', 'stdio', 'clocks', 'http', 'fetch-event'],
  });
  await writeFile(output, component);
} catch (error) {
  // esbuild has already printed the errors in a source.
  if (!error.errors) console.error(error.message);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
