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

/** The official clients, and what they are asked for. */
export const sdks = ['openai', '@anthropic-ai/sdk', 'ai', '@langchain/openai'] as const
export type Sdk = (typeof sdks)[number]
export const apis = [
  'chat',
  'completions',
  'embeddings',
  'responses',
  'messages',
  'count_tokens',
  'models',
  'batches',
] as const
export type Api = (typeof apis)[number]

/** A test has passed: through the gateway, against the real engine of that version, or against an answer made up after a source. */
interface Passed {
  readonly engine: string
  readonly how: 'real' | 'synthetic'
  /** The real engine's version, or the source that the made-up answer restates. */
  readonly what: string
}

/** What of an engine was seen through the gateway. */
export interface Ran extends Passed {
  readonly surface: Surface
}

/** An SDK parsed what came of a request of its own. */
export interface Parsed extends Passed {
  readonly sdk: Sdk
  readonly api: Api
  readonly streamed: boolean
}

/** Where `npm run matrix` collects them; without it nothing is written. */
export const ledger = 'WATTMILL_MATRIX'

/** Said at the end of a test, when all of it held: a test that fails leaves its cell empty. */
export function ran(one: Ran | Parsed): void {
  const file = process.env[ledger]
  if (file) appendFileSync(file, `${JSON.stringify(one)}\n`)
}
