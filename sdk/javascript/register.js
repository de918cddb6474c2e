// `node --import PATH/register.js`: resolves `import 'gischat-filter'` to this folder without an installation.

import { register } from 'node:module';

register('./src/resolver.js', import.meta.url);
