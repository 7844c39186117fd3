import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { parseSnapshot } from '../../adapters/operator/contract.ts'
import { listDecisions } from '../../adapters/sqlite/cap-decisions.ts'
import { wireSnapshot } from '../../adapters/sqlite/registry/snapshot.ts'
import { loadsOf } from './loads.ts'
import { reach } from './reach.ts'
import type { Operator } from './start.ts'
import { fakeUpstream, lonelyOperator } from './testing.ts'

let operator: Operator
let ask: (method: string, path: string, body?: unknown) => Promise<unknown>
before(async () => {
  operator = await lonelyOperator()
  const reached = await reach(operator.factory.home.root, () => undefined)
  ask = (method, path, body) => reached.json(method, path, body)
  const url = await fakeUpstream(['m'])
  for (const name of ['a', 'b'])
    await ask('POST', '/api/engines', { name, url, concurrency: 8, meters: ['watts:80,700'], chips: 'h100-sxm:1' })
})

interface State {
  readonly limits: readonly {
    name: string
    now_watts: number
    state: { binds: boolean; planned_watts: number } | null
  }[]
  readonly settings: readonly { load: string; engines: Record<string, number> }[]
  readonly alarms: readonly { kind: string }[]
}

async function until(what: string, done: (state: State) => boolean): Promise<State> {
  for (const end = performance.now() + 30_000; ; ) {
    const state = (await ask('GET', '/api/caps')) as State
    if (done(state)) return state
    assert(performance.now() < end, `${what}: ${JSON.stringify(state)}`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

const taken = ({ settings }: State): number =>
  settings.filter(({ engines }) => Object.values(engines).includes(0)).length

test('a limit is set, kept by what engines may take, told to gateways and written down; without it all is as before', async () => {
  await ask('PUT', '/api/caps/site', { watts: 1000 })
  const bound = await until(
    'one of two must rest',
    (state) => state.limits[0]?.state?.binds === true && taken(state) === 1,
  )
  assert((bound.limits[0]?.state?.planned_watts ?? 0) <= 1000, JSON.stringify(bound))
  assert.deepEqual(bound.alarms, [])

  const snapshot = parseSnapshot(JSON.parse(JSON.stringify(wireSnapshot(operator.factory.store, Date.now()))))
  assert.deepEqual([...(snapshot?.setPoints.concurrency.values() ?? [])], [0])
  const [last] = listDecisions(operator.factory.store, 1)
  assert.match(last?.inputs_hash ?? '', /^[0-9a-f]{64}$/)
  assert.equal(last?.policy, 'cap-1')

  await ask('DELETE', '/api/caps/site')
  assert.deepEqual(((await ask('GET', '/api/caps')) as State).settings, [])
  assert.equal(wireSnapshot(operator.factory.store, Date.now()).set_points, undefined)
})

test('an event lowers it for its time, and is foreseen in the snapshot for when nobody is there', async () => {
  await ask('PUT', '/api/caps/site', { watts: 5000 })
  const from = new Date(Date.now() + 3_600_000).toISOString()
  const event = (await ask('POST', '/api/caps/site/events', { watts: 900, from, for: '2h', note: 'evening' })) as {
    id: string
  }
  await until(
    'it is planned for',
    () => (wireSnapshot(operator.factory.store, Date.now()).set_points?.later.length ?? 0) > 0,
  )
  const later = wireSnapshot(operator.factory.store, Date.now()).set_points?.later[0]
  assert.equal(later?.until_ms, Date.parse(from) + 2 * 3_600_000)
  assert(later.from_ms < Date.parse(from) && later.concurrency.some(([, most]) => most === 0))
  await ask('DELETE', `/api/caps/events/${event.id}`)
  await until('it is forgotten', () => wireSnapshot(operator.factory.store, Date.now()).set_points?.later.length === 0)

  await ask('POST', '/api/caps/site/events', { watts: 900, for: '1h' })
  const state = await until(
    'it holds now',
    ({ limits }) => limits[0]?.now_watts === 900 && limits[0].state?.binds === true,
  )
  assert(taken(state) >= 1)
  await ask('DELETE', '/api/caps/site')
})

test('what makes no sense is refused in words, and changes nothing', async () => {
  const refused = async (method: string, path: string, body: unknown, words: RegExp): Promise<void> =>
    assert.rejects(ask(method, path, body), (error: Error) => words.test(error.message))
  await refused('PUT', '/api/caps/site', { watts: 0 }, /watts/)
  await refused('PUT', '/api/caps/site', { watts: 'much' }, /watts/)
  await refused('PUT', '/api/caps/site', { watts: 100, other_watts: 100 }, /leave nothing/)
  await refused('PUT', '/api/caps/site', { watts: 100, engines: ['c'] }, /no engine c/)
  await refused('POST', '/api/caps/site/events', { watts: 100, for: '1h' }, /no power limit site/)
  await assert.rejects(
    ask('DELETE', '/api/caps/site'),
    (error: { next?: string }) => error.next === 'wattmill cap status',
  )
  await ask('PUT', '/api/caps/site', { watts: 5000 })
  await refused('POST', '/api/caps/site/events', { watts: 100 }, /how long/)
  await refused('POST', '/api/caps/site/events', { watts: 100, for: 'long' }, /no duration/)
  await refused('POST', '/api/caps/site/events', { watts: 100, until: '2001-01-01' }, /before it begins/)
  await refused('DELETE', '/api/caps/events/pwr_none', undefined, /no event/)
  await ask('DELETE', '/api/caps/site')
  await refused('DELETE', '/api/caps/site', undefined, /no power limit site/)
})

test('engines that share a meter are one load; what has neither meter nor chips is none of ours', async () => {
  const { store, live } = operator.factory
  assert(live)
  const url = await fakeUpstream(['m'])
  await ask('POST', '/api/engines', { name: 'hosted', url })
  await ask('POST', '/api/engines', { name: 'unseen', url, chips: 'h100-sxm:2' })
  const loads = new Map(loadsOf(store, live, new Map()).map((load) => [load.name, load]))
  assert.deepEqual([...loads.keys()].sort(), ['a', 'b', 'embedded', 'unseen'])
  assert.deepEqual([loads.get('a')?.idle, loads.get('a')?.full], [80, 700])
  assert.deepEqual([loads.get('unseen')?.full, loads.get('unseen')?.reading], [1400, null])
})
