import { appendFileSync } from 'node:fs'

/** What an application may ask of an engine through the gateway, and what the gateway needs of it. */
export const surfaces = [
  'chat',
  'chat stream',
  'usage in streams',
  'cached tokens',
  'reasoning tokens',
  'limit of output',
  'stop',
  'n',
  'logprobs',
  'JSON schema',
  'tools',
  'tools stream',
  'completions',
  'embeddings',
  'key header',
  'fields it refuses',
  'errors',
  'broken stream',
  'metrics page',
  'books = its counters',
] as const
export type Surface = (typeof surfaces)[number]

/** A test has passed: through the gateway, against the real engine of that version, or against an answer made up after a source. */
export interface Ran {
  readonly engine: string
  readonly surface: Surface
  readonly how: 'real' | 'synthetic'
  /** The real engine's version, or the source that the made-up answer restates. */
  readonly what: string
}

/** Where `npm run matrix` collects them; without it nothing is written. */
export const ledger = 'WATTMILL_MATRIX'

/** Said at the end of a test, when all of it held: a test that fails leaves its cell empty. */
export function ran(one: Ran): void {
  const file = process.env[ledger]
  if (file) appendFileSync(file, `${JSON.stringify(one)}\n`)
}
