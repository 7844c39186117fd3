import { readFileSync } from 'node:fs'

/** Of the package; src/apps/operator and dist/apps/operator lie equally deep in it. */
export const version: string = JSON.parse(
  readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'),
).version
