import { readFileSync } from 'node:fs';

/** Version of the package this file is in: dist/cli or src/cli, two folders below package.json. */
export const VERSION: string = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string })
  .version;
