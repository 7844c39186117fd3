import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { BatchFolders, newBatchId } from '../../adapters/files/batch-folders.ts'
import type { Batch } from '../../lines/inference/batch/batch.ts'
import { id } from '../../units/ids.ts'
import { ControlError } from './errors.ts'
import { type Reached, reach } from './reach.ts'
import { lonelyOperator, temporary } from './testing.ts'

let folders: BatchFolders
let factory: Reached
before(async () => {
  const { home } = (await lonelyOperator()).factory
  folders = new BatchFolders(home.batches)
  factory = await reach(home.root, () => undefined)
})

async function make(tenant: string, created_ms: number, more: Partial<Batch> = {}): Promise<Batch> {
  const batch: Batch = {
    id: newBatchId(created_ms),
    tenant: id(tenant),
    application: id('app'),
    key: id('key_1'),
    endpoint: '/v1/chat/completions',
    input: id('file-1'),
    window: '24h',
    metadata: null,
    state: 'in_progress',
    created_ms,
    expires_ms: created_ms + 86_400_000,
    since_ms: { validating: created_ms, in_progress: created_ms + 1000 },
    end: null,
    faults: [],
    total: 10,
    completed: 4,
    failed: 1,
    output: id('file-2'),
    errors: null,
    ...more,
  }
  const input = join(temporary(), 'input')
  writeFileSync(input, '')
  await folders.create(batch, input)
  return batch
}

// biome-ignore lint/suspicious/noExplicitAny: answers of every shape are looked into, and an assertion follows each look.
const ask = (method: string, url: string): Promise<any> => factory.json(method, url, method === 'POST' ? {} : undefined)

test('batches are listed over tenants, newest first, and shown one by one; cancelling is asked once', async () => {
  assert.deepEqual((await ask('GET', '/api/batches')).batches, [])
  const [first, second, third] = [
    await make('a', 1_000_000),
    await make('b', 2_000_000),
    await make('a', 3_000_000, { state: 'completed' }),
  ]
  const ids = async (query: string): Promise<string[]> =>
    (await ask('GET', `/api/batches${query}`)).batches.map((batch: { id: string }) => batch.id)
  assert.deepEqual(await ids(''), [third.id, second.id, first.id])
  assert.deepEqual(await ids('?tenant=a'), [third.id, first.id])
  assert.deepEqual(await ids('?limit=1'), [third.id])

  const one = await ask('GET', `/api/batches/${second.id}`)
  assert.deepEqual([one.status, one.total, one.completed, one.output_file], ['in_progress', 10, 4, null])
  assert.equal(one.since.in_progress, '1970-01-01T00:33:21.000Z')
  assert.equal((await ask('GET', `/api/batches/${third.id}`)).output_file, 'file-2')

  assert.equal((await ask('POST', `/api/batches/${second.id}/cancel`)).status, 'cancelling')
  const asked_ms = await folders.cancelledAt(second)
  await ask('POST', `/api/batches/${second.id}/cancel`)
  assert.equal(await folders.cancelledAt(second), asked_ms)

  const fault = (code: string) => (error: unknown) => error instanceof ControlError && error.code === code
  await assert.rejects(ask('POST', `/api/batches/${third.id}/cancel`), fault('conflict'))
  await assert.rejects(ask('GET', '/api/batches/batch_none'), fault('not_found'))
})

test('batches that ended are swept after a while, with their answers; those under way are not', async () => {
  const old = await make('c', 1_000, { state: 'completed', since_ms: { completed: 2_000 } })
  const running = await make('c', 1_000)
  await folders.sweep(2_000, 3_000)
  assert.deepEqual((await folders.ids(id('c'))).sort(), [old.id, running.id].sort())
  await folders.sweep(2_001, 3_000)
  assert.deepEqual(await folders.ids(id('c')), [running.id])
})
