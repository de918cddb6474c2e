// `node --import PATH/register.js`: has `import 'gischat-filter'` find this folder, without an installation.

import { register } from 'node:module';

register('./src/resolver.js', import.meta.url);
