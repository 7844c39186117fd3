import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI from 'openai'
import { findProcess, startFactory, until } from '../bench/load/factory.ts'
import { createKey, discard } from './factory.ts'

const ask = { model: 'starter', input: 'where is my card?', temperature: 0, max_output_tokens: 10 }

/** Each request on a connection of its own, so that any gateway may get it. */
const client = (base: string, apiKey: string) =>
  new OpenAI({
    baseURL: `${base}/v1`,
    apiKey,
    maxRetries: 10,
    fetch: (url, init) =>
      fetch(url, { ...init, headers: { ...Object.fromEntries(new Headers(init?.headers)), connection: 'close' } }),
  })

test('what one gateway kept every gateway has, after kill -9 of them and of all; the books balance', async (t) => {
  const first = await startFactory({ args: ['--gateways', '2'] })
  let running = first
  t.after(() => discard(running))
  const key = await createKey(first)
  const openai = client(first.base, key)
  const kept: OpenAI.Responses.Response[] = []
  for (let turn = 0; turn < 24; turn++) {
    const previous_response_id = turn % 4 === 0 ? null : (kept.at(-1)?.id ?? null)
    kept.push(await openai.responses.create({ ...ask, previous_response_id }))
    if (turn !== 9 && turn !== 17) continue
    const pid = findProcess(first.pid, 'gateway')
    assert(pid, 'there is no gateway to kill')
    process.kill(pid, 'SIGKILL')
  }
  const gateways = new Set(kept.map(({ id }) => id.slice(0, id.lastIndexOf('-'))))
  assert(gateways.size >= 3, `only ${[...gateways]} served`)
  for (const one of kept) assert.deepEqual(await openai.responses.retrieve(one.id), one)

  for (const role of ['gateway', 'gateway', 'operator', 'engine'] as const) {
    const pid = findProcess(first.pid, role)
    if (pid) process.kill(pid, 'SIGKILL')
  }
  await first.stop()
  running = await startFactory({ home: first.home, args: ['--gateways', '2'] })
  const again = client(running.base, key)
  for (const one of kept) assert.deepEqual(await again.responses.retrieve(one.id), one)
  const next = await again.responses.create({ ...ask, previous_response_id: kept.at(-1)?.id ?? null })
  assert.equal(next.previous_response_id, kept.at(-1)?.id)
  const books = await until('every response was booked', async () => {
    const found = JSON.parse(await running.cli('books', 'check', '-o', 'json'))
    return found.requests >= kept.length + 1 ? found : undefined
  })
  assert.deepEqual([books.conserved, books.lost, books.doubled], [true, 0, 0])
})
