import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as after } from 'node:timers/promises'
import { startEngineHost } from '../../adapters/llama/host.ts'
import { madeModel } from '../../adapters/llama/testing-engine.ts'
import { engineHost } from './engine-host.ts'
import { temporary } from './testing.ts'

test('a command waits for a host that is about to start, and is refused where none comes', async (t) => {
  const folder = temporary()
  const socketPath = join(folder, 'engine.sock')
  const [patient, hasty] = [engineHost(socketPath, 10_000), engineHost(socketPath)]
  t.after(() => {
    patient.close()
    hasty.close()
  })
  assert.deepEqual(await hasty.load('m', '/m.gguf'), {
    ok: false,
    why: 'down',
    message: 'the embedded engine does not answer',
  })
  const loading = patient.load('m', '/m.gguf')
  await after(100)
  const host = await startEngineHost(
    { socketPath, logFolder: join(folder, 'engine'), batch: 8, queue: 4, memory: 10 },
    { bytes: async () => 1, open: async () => madeModel(1) },
  )
  t.after(() => host.close())
  assert.deepEqual(await loading, { ok: true })
})
