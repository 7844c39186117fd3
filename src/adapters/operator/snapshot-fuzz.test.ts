import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { binding } from '../../books/allowance.ts'
import { priceAt } from '../../books/price.ts'
import { railsFor } from '../../lines/inference/rail.ts'
import { chainOf, modelsOf } from '../../lines/inference/snapshot.ts'
import { parseSnapshot, type WireSnapshot } from './contract.ts'

const whole: WireSnapshot = {
  number: 3,
  published_ms: 5,
  gateways: 2,
  grants: [
    {
      hash: 'a'.repeat(64),
      key: 'k',
      tenant: 't',
      application: 'app',
      models: ['m'],
      requests_per_minute: 5,
      tokens_per_minute: null,
      expires_ms: null,
      slo: 'batch',
    },
  ],
  prices: [
    {
      version: 1,
      model: 'm',
      effective_from_ms: 0,
      note: '',
      perMillion: { input_uncached: '1', cache_read: '2', cache_write: '3', output_visible: '4', reasoning: '5' },
    },
  ],
  aliases: { other: ['m'] },
  allowances: [{ scope: 'tenant', of: 't', unit: 'nano-USD', renews: 'month', amount: '9' }],
  rails: [{ name: 'r', scope: 'factory', of: '', input: { words: ['x'] }, output: { schema: { type: 'object' } } }],
  energy_per_token_mj: { m: 1.5 },
  engines: [
    {
      name: 'e',
      vendor: 'openai',
      url: 'http://h/v1',
      key_from: null,
      models: { m: 'up' },
      concurrency: 4,
      draining: false,
    },
  ],
}

type Place = readonly (string | number)[]
const placesOf = (value: unknown, at: Place = []): Place[] =>
  typeof value === 'object' && value !== null
    ? [at, ...Object.entries(value).flatMap(([name, one]) => placesOf(one, [...at, name]))]
    : [at]
const places = placesOf(whole).slice(1)

/** The snapshot with another value at a place; undefined: without it. */
function altered(place: Place, value: unknown): unknown {
  const copy = structuredClone(whole) as unknown as Record<string, unknown>
  const inside = place.slice(0, -1).reduce((of, name) => of[name] as Record<string, unknown>, copy)
  const last = String(place.at(-1))
  if (value === undefined) delete inside[last]
  else inside[last] = value
  return JSON.parse(JSON.stringify(copy)) // as it would come
}

const odd = fc.oneof(
  fc.constant(undefined),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    -1,
    0.5,
    1e308,
    '',
    '-1',
    '1e9',
    '999999999999999999',
    '9999999999999999999',
    [],
    {},
    null,
    '%',
    '__proto__',
  ),
)

test('a snapshot is taken whole and can be used, or not at all, whatever of it is altered', () => {
  assert(parseSnapshot(whole) && places.length > 40)
  fc.assert(
    fc.property(fc.constantFrom(...places), odd, (place, value) => {
      const snapshot = parseSnapshot(altered(place, value))
      if (!snapshot) return
      for (const model of modelsOf(snapshot)) {
        chainOf(snapshot, model)
        priceAt(snapshot.prices, { model }, 10)
        for (const grant of snapshot.grants.values()) {
          railsFor(snapshot.rails, grant, [model])
          for (const { amount } of binding(snapshot.allowances, { ...grant, model })) assert(amount >= 0n)
        }
      }
      for (const { concurrency } of snapshot.replicas) assert(Number.isInteger(concurrency) && concurrency > 0)
    }),
    { numRuns: 5000 },
  )
})

test('what is no snapshot at all is none', () => {
  fc.assert(fc.property(fc.anything(), (value) => assert.equal(parseSnapshot(value), undefined)))
})
