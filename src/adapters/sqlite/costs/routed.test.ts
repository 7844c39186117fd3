import assert from 'node:assert/strict'
import { test } from 'node:test'
import { priceList } from '../../../books/price.ts'
import { nanoDollars, price } from '../../../units/amount.ts'
import { parseSnapshot } from '../../operator/contract.ts'
import { addEngine, type EngineRecord } from '../registry/engines.ts'
import { setCost } from '../registry/meters.ts'
import { wireSnapshot } from '../registry/snapshot.ts'
import { openStore } from '../store.ts'
import { testHome } from '../testing.ts'
import { declare } from './declarations.ts'

const engine = (
  name: string,
  product: string | null,
  models: EngineRecord['models'],
): Omit<EngineRecord, 'draining' | 'site'> => ({
  name,
  vendor: 'openai',
  product,
  url: 'http://127.0.0.1:1',
  key_from: null,
  metrics_url: null,
  chips: null,
  concurrency: 4,
  models,
  created_ms: 1,
})

test('gateways compare engines by what was declared of them, and hosted ones else by their provider’s list', () => {
  using home = testHome()
  const store = openStore(home)
  addEngine(store, engine('own', 'vllm', { chat: 'llama' }))
  addEngine(store, engine('groq', 'groq', { chat: 'llama-3.1-8b-instant', other: 'nobody knows this one' }))
  const facts = (name: string, now_ms = 1000) => {
    const snapshot = parseSnapshot(JSON.parse(JSON.stringify(wireSnapshot(store, now_ms))))
    assert(snapshot, 'it is a valid snapshot')
    return snapshot.replicas.find(({ id }) => id === name)?.facts
  }
  assert.deepEqual(facts('own'), {})
  const listed = { input: 50_000_000, cached: 50_000_000, output: 80_000_000 }
  assert.deepEqual(facts('groq'), { listPrices: { chat: listed } })

  const number = () => wireSnapshot(store, 1000).number
  const before = number()
  setCost(store, 'own', nanoDollars(3_500_000_000n), 10)
  assert(number() > before, 'it is a new snapshot')
  assert.deepEqual(facts('own'), { nanoDollarsPerHour: 3_500_000_000 })

  const perMillion = priceList(price(7n), price(9n), { cache_read: price(1n) })
  const said = { kind: 'list', name: 'groq/chat', from_ms: 20, terms: { per: 'token', perMillion }, note: '' } as const
  declare(store, said, 20)
  assert.deepEqual(facts('groq'), { listPrices: { chat: { input: 7, cached: 1, output: 9 } } })
  declare(
    store,
    { kind: 'capacity', name: 'groq', from_ms: 30, terms: { per: 'hour', amount: nanoDollars(5n) }, note: '' },
    30,
  )
  assert.deepEqual(facts('groq'), { nanoDollarsPerHour: 5 }, 'what an hour costs is paid, whatever is asked')
  store.close()
})
