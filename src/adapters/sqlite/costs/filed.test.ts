import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hour_ms } from '../../../books/cost-hour.ts'
import type { Said } from '../../../books/filed-cost.ts'
import { nanoDollars } from '../../../units/amount.ts'
import { joinNodes, nodeReadTo } from '../nodes.ts'
import { all } from '../query.ts'
import { openStore, type Store } from '../store.ts'
import { besides, ofSeveral, testHome } from '../testing.ts'
import { closeHours } from './close-hours.ts'
import { applyFiled, filedCosts } from './filed.ts'

const first = 500_016
const at = (hours: number): number => (first + hours) * hour_ms
const staff = (usd: bigint, name = 'ops'): Said => ({
  ...{ kind: 'staff', name, note: '' },
  terms: { per: 'hour', amount: nanoDollars(usd * 1_000_000_000n) },
})
const state = (
  store: Store,
  said: readonly Said[],
  now_ms: number,
  more: { dry?: boolean; kept?: readonly Said[] } = {},
) => applyFiled(store, said, more.kept ?? [], { now_ms, dry: more.dry ?? false })

test('hours that are posted keep what they cost; what is changed, and what ends, holds from then on', () => {
  using home = testHome()
  const store = openStore(home)
  const costs = (now_ms: number): number[] => {
    nodeReadTo(store, now_ms)
    while (closeHours(store, now_ms)) {}
    const rows = all<{ amount: number }>(store.database, 'select amount from cost_hour order by hour')
    return rows.map(({ amount }) => amount / 1e9)
  }
  state(store, [staff(2n)], at(0))
  assert.deepEqual(costs(at(2) + 2000), [2, 2])
  assert.equal(state(store, [staff(2n)], at(2)).unchanged, 1)
  assert.equal(all(store.database, 'select 1 as n from cost_declaration').length, 1)
  state(store, [staff(3n)], at(2))
  assert.deepEqual(costs(at(3) + 2000), [2, 2, 3])
  const dry = state(store, [], at(3), { dry: true })
  assert.equal(dry.ended.length, 1)
  assert.deepEqual(
    filedCosts(store).map(({ name }) => name),
    ['ops'],
    'a try changes nothing',
  )
  state(store, [], at(3), { kept: [staff(3n)] })
  assert.equal(all(store.database, 'select 1 as n from cost_declaration').length, 2, 'one that waits does not end')
  state(store, [], at(3))
  assert.deepEqual(costs(at(5) + 2000), [2, 2, 3])
  assert.deepEqual(filedCosts(store), [])
  store.close()
})

test('the file of each home states its own costs, and one that another states is refused', ofSeveral, () => {
  using home = testHome()
  using other = besides(home)
  const [here, there] = [openStore(home), openStore(other)]
  joinNodes(here, 1, at(0))
  joinNodes(there, 1, at(0))
  state(here, [staff(2n)], at(0))
  assert.throws(() => state(there, [staff(3n)], at(0)), /staff ops is in the file of another home/)
  assert.equal(state(there, [staff(3n, 'night')], at(0)).declared.length, 1)
  assert.deepEqual(state(here, [staff(2n)], at(1)), { declared: [], ended: [], unchanged: 1 })
  assert.deepEqual(
    state(there, [], at(1)).ended.map(({ name }) => name),
    ['night'],
  )
  here.close()
  there.close()
})
