import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AttemptReport, HostReport } from '../../adapters/llama/client.ts'
import type { KnownModel } from '../../adapters/llama/protocol.ts'
import { parseSnapshot } from '../../adapters/operator/contract.ts'
import { seconds } from '../../units/quantity.ts'
import { bench, chatBody, fakeUpstream, hostStatus, snapshotOf, until } from './testing.ts'

/** An engine host whose model is not in memory until the test says so. */
function coldHost() {
  let state: KnownModel['state'] = 'cold'
  let listener: ((report: HostReport) => void) | undefined
  const loads: string[] = []
  const asked: string[] = []
  return {
    loads,
    asked,
    becomes(next: KnownModel['state']): void {
      state = next
      listener?.(hostStatus(state))
    },
    listen: (to: (report: HostReport) => void) => {
      listener = to
    },
    status: () => hostStatus(state),
    load(model: string): void {
      loads.push(model)
      this.becomes('loading')
    },
    generate({ id }: { readonly id: string }, told: (report: AttemptReport) => void): void {
      asked.push(id)
      const count = { input_uncached: 1, cache_read: 0, output: 1 }
      queueMicrotask(() => told({ on: 'end', id, why: 'stop', text: 'hi', count }))
    },
  }
}

test('requests for a model that is not in memory wait in the queue, ask once for it, and are served when it is there', async (t) => {
  const host = coldHost()
  const { post, gateway, journal } = await bench(t, { engines: [{ vendor: 'llama' }], host })
  const asking = [1, 2, 3].map(() => post('/v1/chat/completions', chatBody()))
  await until(() => gateway.state.policy.admitter.waiting === 3)
  assert.deepEqual(host.loads, ['upstream-m'])
  assert.deepEqual([host.asked.length, journal.rows.length], [0, 0])
  host.becomes('ready')
  for (const reply of await Promise.all(asking)) {
    assert.equal(reply.status, 200)
    assert(Number(reply.headers.get('x-wattmill-queue-ms')) > 0)
  }
  assert(journal.closes.every((row) => row.queued_ms > 0))

  host.becomes('leaving')
  const later = post('/v1/chat/completions', chatBody())
  await until(() => gateway.state.policy.admitter.waiting === 1)
  assert.equal(host.loads.length, 1, 'one that is leaving is asked for when it has left')
  host.becomes('cold')
  await until(() => host.loads.length === 2)
  host.becomes('ready')
  assert.equal((await later).status, 200)
})

test('the wait is bounded, in number and in time', async (t) => {
  const host = coldHost()
  const { post, gateway } = await bench(t, {
    engines: [{ vendor: 'llama' }],
    host,
    settings: {
      admission: {
        queueLength: 2,
        queueTime: seconds(0.6),
        absentTime: seconds(0),
        leaseTime: seconds(5),
        attempts: 3,
      },
    },
  })
  const waiting = [1, 2].map(() => post('/v1/chat/completions', chatBody()))
  await until(() => gateway.state.policy.admitter.waiting === 2)
  const third = await post('/v1/chat/completions', chatBody())
  assert.deepEqual([third.status, third.json.error.code], [503, 'overloaded'])
  for (const reply of await Promise.all(waiting)) {
    assert.deepEqual([reply.status, reply.json.error.code], [503, 'overloaded'])
    assert(reply.headers.get('retry-after-ms'))
  }
})

test('one that failed to load is not waited for: the host says why; another replica does not wait at all', async (t) => {
  const host = coldHost()
  host.becomes('failed')
  const { url } = await fakeUpstream(t, (response) =>
    response.end('{"choices":[{"index":0,"message":{"content":"up"},"finish_reason":"stop"}]}'),
  )
  const alone = await bench(t, { engines: [{ vendor: 'llama' }], host })
  assert.equal((await alone.post('/v1/chat/completions', chatBody())).status, 200)
  assert.deepEqual([host.loads, host.asked.length], [[], 1])

  const second = coldHost()
  const both = await bench(t, { engines: [{ vendor: 'llama' }, { url }], host: second })
  for (let turn = 0; turn < 4; turn++) {
    const reply = await both.post('/v1/chat/completions', chatBody())
    assert.equal(reply.json.choices[0].message.content, 'up')
  }
  assert.deepEqual([second.loads, second.asked], [[], []])
})

test('a model that was added later is known too', async (t) => {
  const host = coldHost()
  const engine = { name: 'e', vendor: 'llama' as const }
  const setup = { engines: [{ ...engine, models: { old: 'old' } }], host }
  const { post, gateway } = await bench(t, setup)
  const later = snapshotOf({ engines: [{ ...engine, models: { m: 'upstream-m' } }] }, 2)
  const snapshot = parseSnapshot(later)
  assert(snapshot)
  gateway.state.snapshot = snapshot
  gateway.state.fleet.apply(snapshot)
  const asking = post('/v1/chat/completions', chatBody())
  await until(() => host.loads.length === 1)
  host.becomes('ready')
  assert.equal((await asking).status, 200)
})
