import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Leases } from '../../adapters/sqlite/leases.ts'
import { setAllowance } from '../../adapters/sqlite/registry/allowances.ts'
import { openStore } from '../../adapters/sqlite/store.ts'
import { closeRow, openRow, setTestPrice, testHome, writeJournal } from '../../adapters/sqlite/testing.ts'
import { chargesOf } from '../../books/post.ts'
import { priceList, total } from '../../books/price.ts'
import type { LeaseAsk } from '../../lines/inference/lease.ts'
import { price } from '../../units/amount.ts'
import { id } from '../../units/ids.ts'
import { newKeeper } from './keeper.ts'

const budget = { scope: 'tenant', of: 'acme', unit: 'nano-USD', renews: 'never', amount: 10_000_000n } as const
const asks = (want: bigint, allowance: string): LeaseAsk => ({
  allowance,
  period: 0,
  free: 0n,
  reserved: 0n,
  returned: 0n,
  want,
  ahead: 0n,
})

test('what a dead gateway used stays used, though nobody has asked since the start', () => {
  using home = testHome()
  let store = openStore(home)
  setTestPrice(store)
  const { id: allowance } = setAllowance(store, budget, 1)
  new Leases(store).answer(id('gw'), [asks(9_000_000n, allowance)], 1000)
  store.close()
  store = openStore(home)
  const leases = new Leases(store)
  writeJournal(home.journals, id('gw'), [openRow(1), closeRow(1)])
  let now = 10_000_000
  const meter = { idleWatts: 1, fullWatts: 2 }
  const keeper = newKeeper({ home, store, leases, meter, now: () => now, log: () => {}, readers: [] })
  for (let turn = 0; turn < 4; turn++, now += 5000) keeper.tick()
  const [grant] = leases.answer(id('other'), [asks(10_000_000n, allowance)], now).grants
  assert(grant && grant.amount < 10_000_000n && grant.amount > 9_900_000n, `${grant?.amount} of a budget that was used`)
  keeper.close()
  store.close()
})

test('who waited in a period that is over is not waited for in the next one', () => {
  using home = testHome()
  const store = openStore(home)
  const midnight = 20_000 * 86_400_000
  const { id: allowance } = setAllowance(store, { ...budget, renews: 'day', amount: 100n }, 1)
  const leases = new Leases(store)
  const ask = (want: bigint, period: number): LeaseAsk => ({ ...asks(want, allowance), period })
  const before = leases.answer(id('gw'), [ask(150n, 19_999)], midnight - 5000)
  assert.deepEqual(before.recalls, [{ allowance, period: 19_999 }])
  leases.answer(id('gw'), [ask(10n, 20_000)], midnight + 5000)
  assert.deepEqual(leases.answer(id('other'), [], midnight + 6000).recalls, [])
  store.close()
})

test('what was granted is not granted again after a restart, and a dead gateway gives back what it did not use', () => {
  using home = testHome()
  let store = openStore(home)
  setTestPrice(store)
  const { id: allowance } = setAllowance(store, budget, 1)
  const first = new Leases(store).answer(id('gw'), [asks(9_000_000n, allowance)], 1000)
  assert.equal(first.grants[0]?.amount, 9_000_000n)
  store.close()

  store = openStore(home)
  const again = new Leases(store)
  const second = again.answer(id('other'), [asks(9_000_000n, allowance)], 2000)
  assert.equal(second.grants[0]?.amount, 1_000_000n, 'the operator that was killed had granted the rest')
  assert.deepEqual(second.recalls, [{ allowance, period: 0 }])

  // Its gateway dies with one request settled and one open; the keeper reads it to its end.
  writeJournal(home.journals, id('gw'), [openRow(1), closeRow(1), openRow(2)])
  let now = 10_000_000
  const keeper = newKeeper({
    home,
    store,
    leases: again,
    meter: { idleWatts: 1, fullWatts: 2 },
    now: () => now,
    log: () => {},
    readers: [],
  })
  for (let turn = 0; turn < 4; turn++) {
    keeper.tick()
    now += 5000
  }
  const perMillion = priceList(price(37_500_001n), price(150_000_003n), {
    cache_read: price(3_750_001n),
    cache_write: price(0n),
  })
  const used = total(chargesOf(closeRow(1), { version: 1, model: id('m'), effective_from_ms: 0, perMillion, note: '' }))
  assert(used > 0n)
  const third = again.answer(id('other'), [asks(9_000_000n, allowance)], now)
  assert.equal(third.grants[0]?.amount, 9_000_000n - used)
  keeper.close()
  store.close()
})

test('setting a budget again keeps what was used; a revoked or removed one gives nothing', () => {
  using home = testHome()
  const store = openStore(home)
  const { id: allowance } = setAllowance(store, budget, 1)
  const leases = new Leases(store)
  leases.answer(id('gw'), [asks(4_000_000n, allowance)], 1000)
  setAllowance(store, { ...budget, amount: 5_000_000n }, 2)
  assert.equal(leases.answer(id('gw'), [asks(4_000_000n, allowance)], 1000).grants[0]?.amount, 1_000_000n)
  const unknown = leases.answer(id('gw'), [asks(1n, 'tenant/nobody/nano-USD/never')], 1000).grants[0]
  assert.deepEqual([unknown?.amount, unknown?.exhausted], [0n, true])
  store.close()
})
