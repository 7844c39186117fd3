import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { APICallError } from 'ai'
import { APIError } from 'openai'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory, until } from '../bench/load/factory.ts'
import { ran } from '../bench/matrix/record.ts'
import { writeTinyBert } from '../src/adapters/llama/testing-embedder.ts'
import { madeUpMessages } from './anthropic-engine.ts'
import { type Way, type Where, ways } from './every-sdk.ts'
import { createKey, discard, starterFile } from './factory.ts'
import { type ForeignEngine, foreignEngine, without } from './foreign.ts'
import { madeUpVllm } from './made-up-vllm.ts'

/** Each SDK on each surface it has, whole and streamed, on each kind of engine: the cells of `npm run matrix`. */
interface Kind {
  readonly engine: string
  readonly model: string
  readonly vectors: string | undefined
  readonly how: 'real' | 'synthetic'
  readonly what: () => string
  readonly skip?: string | false
  /** What the engine has no words for, and is refused before it is asked. */
  readonly lacks?: readonly Way['api'][]
}

const llama = (): string => {
  const file = join(import.meta.dirname, '..', 'node_modules', 'node-llama-cpp', 'package.json')
  return `node-llama-cpp ${(JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version}`
}

const vllm = await madeUpVllm('made-up', 'made-up-vectors')
const messages = await madeUpMessages()
let foreign: ForeignEngine[] = []
const kinds: readonly Kind[] = [
  { engine: 'embedded', model: 'starter', vectors: 'vectors', how: 'real', what: llama },
  {
    engine: 'llama.cpp',
    model: 'far',
    vectors: 'far-vectors',
    how: 'real',
    what: () => `llama.cpp server, xllamacpp ${foreign[0]?.version}`,
    skip: without,
  },
  {
    engine: 'vllm',
    model: 'made-up',
    vectors: 'made-up-vectors',
    how: 'synthetic',
    what: () => 'deep/made-up-vllm.ts',
  },
  {
    engine: 'anthropic',
    model: 'thinks',
    vectors: undefined,
    how: 'synthetic',
    what: () => 'deep/anthropic-engine.ts',
    lacks: ['completions', 'embeddings'],
  },
]

let factory: Factory
let where: Pick<Where, 'base' | 'key'>

before(async () => {
  factory = await startFactory()
  const { cli } = factory
  await until('its engine is ready', async () => /starter ready/.test(await cli('status')) || undefined)
  await cli('models', 'add', writeTinyBert(join(factory.home, 'vectors.gguf')))
  await cli('engines', 'add', 'vllm', '--preset', 'vllm', '--url', vllm.url)
  await cli('engines', 'add', 'service', '--vendor', 'anthropic', '--url', `${messages.url}/v1`)
  if (!without) {
    foreign = await Promise.all([
      foreignEngine(starterFile(), 'far'),
      foreignEngine(writeTinyBert(join(factory.home, 'far.gguf')), 'far-vectors', { kind: 'embeddings' }),
    ])
    for (const [index, { url }] of foreign.entries())
      await cli('engines', 'add', `far${index}`, '--preset', 'llama-server', '--url', url)
  }
  where = { base: factory.base, key: await createKey(factory) }
})
after(async () => {
  vllm[Symbol.dispose]()
  messages[Symbol.dispose]()
  for (const { process } of foreign) process.kill('SIGKILL')
  await discard(factory)
})

/** A refusal as each SDK shows it: the AI SDK has what it read of the body beside, the others take it apart. */
async function refusalOf(asked: Promise<unknown>): Promise<{ status: unknown; code: unknown; message: string }> {
  const { error } = await asked.then(
    () => assert.fail('it was answered'),
    (error: unknown) => ({ error }),
  )
  if (APICallError.isInstance(error)) {
    assert.equal(error.isRetryable, false)
    const { code } = (error.data as { error: { code: unknown } }).error
    return { status: error.statusCode, code, message: error.message }
  }
  assert(error instanceof APIError, String(error))
  return error
}

for (const kind of kinds)
  for (const { sdk, api, streamed, ask } of ways) {
    const { engine, model, vectors, how, skip = false, lacks = [] } = kind
    const what = `${sdk}: ${api}${streamed ? ', streamed' : ''}, on ${engine}`
    if (lacks.includes(api)) {
      test(`${what}: refused in its own words`, { skip }, async () => {
        const { status, code, message } = await refusalOf(ask({ ...where, model, vectors: vectors ?? model }))
        assert.equal(status, 400)
        assert.equal(code, 'unsupported_parameter')
        assert.match(message, /\(request [\w-]+\)/)
      })
      continue
    }
    test(what, { skip }, async () => {
      const came = await ask({ ...where, model, vectors })
      assert(came.text.length > 0, 'nothing came')
      if (came.tokens !== undefined) assert(came.tokens > 0, `its usage says ${came.tokens} tokens`)
      if (streamed && how === 'real') assert((came.pieces ?? 0) > 1, `${came.pieces} pieces are no stream`)
      ran({ engine, sdk, api, streamed, how, what: kind.what() })
    })
  }

test('the books are conserved after all of it', async () => {
  const check = JSON.parse(await factory.cli('books', 'check', '-o', 'json')) as {
    conserved: boolean
    requests: number
  }
  assert.equal(check.conserved, true)
  assert(check.requests > ways.length)
})
