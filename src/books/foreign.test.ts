import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { id } from '../units/ids.ts'
import type { Explained, Kinds } from './counted.ts'
import { noKinds } from './counted.ts'
import { foreignIn } from './foreign.ts'
import type { CloseRow } from './row.ts'
import { usageFrom } from './usage.ts'

const engine = id<never>('gpu')
const look_ms = 5000
const looks = 20

interface Traffic {
  readonly at_ms: number
  readonly prompt_ms: number
  readonly rest_ms: number
  readonly prompt: number
  readonly cached: number
  readonly output: number
}
const traffic: fc.Arbitrary<Traffic[]> = fc.array(
  fc.record({
    at_ms: fc.nat(80_000),
    prompt_ms: fc.integer({ min: 1, max: 3000 }),
    rest_ms: fc.integer({ min: 0, max: 12_000 }),
    prompt: fc.integer({ min: 1, max: 4000 }),
    cached: fc.nat(4000),
    output: fc.integer({ min: 1, max: 600 }),
  }),
  { maxLength: 30 },
)

const rowsOf = (list: readonly Traffic[]): CloseRow[] =>
  list.map(({ at_ms, prompt_ms, rest_ms, prompt, cached, output }, n) => ({
    kind: 'close',
    id: id(`gw-${n}`),
    tenant: id('t'),
    application: id('a'),
    key: id('k'),
    model: id('m'),
    price_version: null,
    snapshot: 1,
    at_ms,
    closed_ms: at_ms + prompt_ms + rest_ms,
    queued_ms: 0,
    ttft_ms: prompt_ms,
    stream: true,
    outcome: 'complete',
    attempts: [
      {
        number: 1,
        replica: engine,
        usage: usageFrom('provider', { input_uncached: prompt, cache_read: cached, output_visible: output }),
      },
    ],
  }))

/** As vLLM counts: a prompt with its cached part when it is done, tokens as they are sampled. */
function counted(list: readonly Traffic[], from_ms: number, to_ms: number): Kinds {
  let [prompt, output] = [0, 0]
  for (const one of list) {
    const first_ms = one.at_ms + one.prompt_ms
    if (first_ms > from_ms && first_ms <= to_ms) prompt += one.prompt + one.cached
    const made = (at_ms: number): number => {
      if (at_ms < first_ms) return 0
      if (at_ms >= first_ms + one.rest_ms) return one.output
      return 1 + Math.floor(((one.output - 1) * (at_ms - first_ms)) / one.rest_ms)
    }
    output += made(to_ms) - made(from_ms)
  }
  return { prompt, output }
}

/** All looks in order, from the first one on; what was found foreign in all, and what is left over. */
function compare(
  list: readonly Traffic[],
  others: (look: number) => Kinds,
  first = 0,
): { foreign: Kinds; balance: Kinds } {
  let foreign = noKinds
  let balance: Kinds | null = null
  for (let look = first; look < looks; look++) {
    const [from_ms, to_ms] = [look * look_ms, (look + 1) * look_ms]
    const ours = counted(list, from_ms, to_ms)
    const more = others(look)
    const told = {
      engine,
      from_ms,
      to_ms,
      prompt: ours.prompt + more.prompt,
      output: ours.output + more.output,
      cached: true,
    }
    const found: Explained = foreignIn(told, rowsOf(list), balance)
    foreign = { prompt: foreign.prompt + found.foreign.prompt, output: foreign.output + found.foreign.output }
    balance = found.balance
  }
  return { foreign, balance: balance ?? noKinds }
}

test('what is ours is never taken for others’, however prompts and looks fall', () => {
  fc.assert(fc.property(traffic, (list) => assert.deepEqual(compare(list, () => noKinds).foreign, noKinds)))
})

test('an engine that is first looked at while it works for us is not taken for another’s', () => {
  fc.assert(
    fc.property(traffic, fc.nat(looks - 1), (list, first) =>
      assert.deepEqual(compare(list, () => noKinds, first).foreign, noKinds),
    ),
  )
})

test('others’ traffic is found, all but what may be under way; and never more than there was', () => {
  fc.assert(
    fc.property(traffic, fc.array(fc.nat(3000), { minLength: looks, maxLength: looks }), (list, extra) => {
      const total = extra.reduce((sum, one) => sum + one, 0)
      const { foreign, balance } = compare(list, (look) => ({ prompt: extra[look] ?? 0, output: extra[look] ?? 0 }))
      for (const kind of ['prompt', 'output'] as const) {
        assert(foreign[kind] <= total, `${kind}: ${foreign[kind]} of ${total}`)
        assert.equal(foreign[kind] + balance[kind], total, `${kind}: nothing is lost on the way`)
      }
    }),
  )
})
