import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { indexed } from '../../books/allowance.ts'
import { wasteCause } from '../../books/post.ts'
import type { CloseRow, Row } from '../../books/row.ts'
import { usageFrom } from '../../books/usage.ts'
import type { Replica } from '../../plant/infrastructure/replica.ts'
import type { ModelId, RequestId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { seconds, tokens } from '../../units/quantity.ts'
import { refusal } from './errors.ts'
import type { Ask, Ending, Event, World } from './flow.ts'
import { newFlow } from './flow.ts'
import { inferenceLine } from './line.ts'
import { livePolicy } from './policy.ts'
import type { Snapshot } from './snapshot.ts'

const model = id<ModelId>('m')
const replica = (name: string): Replica => ({
  id: id(name),
  vendor: 'llama',
  models: { m: 'm' },
  concurrency: 2,
  draining: false,
})
const snapshot: Snapshot = {
  number: 7,
  published_ms: 0,
  grants: new Map(),
  prices: [],
  allowances: indexed([]),
  energyPerToken_mj: new Map(),
  aliases: new Map(),
  replicas: [replica('a'), replica('b')],
  gateways: 1,
}
const ask: Ask = {
  grant: {
    key: id('k'),
    tenant: id('t'),
    application: id('app'),
    models: null,
    slo: 'standard',
    expires_ms: null,
  },
  model,
  promptEstimate: tokens(5),
  maxOutput: tokens(10),
  stream: true,
  slo: 'standard',
  clientRetry: 0,
  body: undefined,
}

/** A world of plain arrays: it remembers what it was told and answers nothing by itself. */
function fakeWorld() {
  const told = {
    generated: 0,
    cancelled: [] as number[],
    watched: 0,
    written: 0,
    released: 0,
    rows: [] as Row[],
    kept: [] as CloseRow[],
    endings: [] as Ending[],
    waits: 0,
  }
  const world: World = {
    generate: () => void told.generated++,
    cancel: (_, attempt) => void told.cancelled.push(attempt),
    watch: () => void told.watched++,
    write: () => void told.written++,
    release: () => void told.released++,
    append: (_, row) => void told.rows.push(row),
    keep: (_, row) => void told.kept.push(row),
    finish: (_, ending) => void told.endings.push(ending),
    wait: () => void told.waits++,
  }
  return { told, world }
}

/** Other requests before it: what is late is known, and there is money for it. */
function practise(policy: ReturnType<typeof livePolicy>): void {
  for (let n = 0; n < 10; n++) {
    const other = newFlow(id<RequestId>(`gw-p${n}`), ask, snapshot, seconds(0))
    other.replica = policy.route(other, seconds(0))
    policy.first(other, seconds(0.001))
    policy.left(other, undefined, seconds(0.001))
  }
}

function start(hedged = false) {
  const { told, world } = fakeWorld()
  const policy = livePolicy({
    queueLength: 2,
    queueTime: seconds(5),
    absentTime: seconds(0),
    leaseTime: seconds(1),
    attempts: hedged ? 3 : 2,
    ...(hedged && { hedging: { share: 1, samples: 1 } }),
  })
  if (hedged) practise(policy)
  const step = inferenceLine(policy, world)
  const flow = newFlow(id<RequestId>('gw-1'), ask, snapshot, seconds(0))
  let now = 0
  const tell = (...events: Event[]): void => {
    for (const event of events) {
      now += 0.01
      step(flow, event, seconds(now))
    }
  }
  return { told, policy, flow, tell, step }
}

const asked: Event = { kind: 'asked' }
const chunk = (attempt = 1): Event => ({ kind: 'chunk', attempt, tokens: tokens(1), bytes: 'x' })
const ended = (attempt = 1): Event => ({
  kind: 'ended',
  attempt,
  usage: usageFrom('engine', { input_uncached: 4, cache_read: 1, cache_write: 0, output_visible: 3, reasoning: 0 }),
})
const denied: Event = { kind: 'denied', refusal: refusal('answer_denied', 'no') }
const failed = (attempt = 1): Event => ({
  kind: 'failed',
  attempt,
  failure: { fault: 'crashed', message: 'gone' },
  usage: undefined,
})
const begun = (attempt = 1): Event => ({ kind: 'begun', attempt, input_uncached: tokens(4), cache_read: tokens(1) })
const journaled = (row: 'open' | 'close'): Event => ({ kind: 'journaled', row })
const unjournaled = (row: 'open' | 'close'): Event => ({ kind: 'unjournaled', row })
const closes = (rows: readonly Row[]): CloseRow[] => rows.filter((row) => row.kind === 'close')

test('a request: open row at admission, close row before the last byte', () => {
  const { told, flow, tell } = start()
  tell(asked, chunk(), journaled('open'), chunk(), ended())
  assert.deepEqual(
    told.rows.map((row) => row.kind),
    ['open', 'close'],
  )
  assert.equal(told.endings.length, 0, 'nothing is finished before the close row is durable')
  tell(journaled('close'))
  assert.deepEqual(told.endings, [{ kind: 'settled', outcome: 'complete' }])
  assert.equal(
    flow.closing?.attempts[0]?.usage.output_visible?.tokens,
    3,
    "the engine's figure outranks the count of chunks",
  )
})

test('a failed attempt is retried elsewhere before the first byte, and kept as an attempt', () => {
  const { told, flow, tell } = start()
  tell(asked, begun(), failed(), ended(1), begun(2), chunk(2), ended(2), journaled('close'))
  assert.equal(told.generated, 2)
  assert.deepEqual(
    flow.closing?.attempts.map((attempt) => [attempt.number, attempt.usage.input_uncached?.tokens]),
    [
      [1, 4],
      [2, 4],
    ],
  )
  assert.notEqual(flow.closing?.attempts[0]?.replica, flow.closing?.attempts[1]?.replica)
})

test('after the first byte a failure is the outcome, counted from what passed', () => {
  const { flow, tell, told } = start()
  tell(asked, begun(), chunk(), failed())
  assert.equal(told.generated, 1)
  assert.equal(flow.closing?.outcome, 'upstream_error')
  assert.deepEqual(flow.closing?.attempts[0]?.usage.output_visible, { tokens: 1, source: 'counted' })
})

test('an explicit zero stays zero, and nothing at all stays missing', () => {
  const zero = start()
  zero.tell(asked, chunk(), {
    kind: 'ended',
    attempt: 1,
    usage: usageFrom('provider', { input_uncached: 0, output_visible: 0 }),
  })
  assert.deepEqual(zero.flow.closing?.attempts[0]?.usage.output_visible, { tokens: 0, source: 'provider' })
  const nothing = start()
  nothing.tell(asked, failed(1), failed(2))
  assert.equal(nothing.flow.closing?.attempts[1]?.usage.input_uncached, null)
})

test('a client that leaves is billed for what the engine made until it stopped', () => {
  const { told, flow, tell } = start()
  tell(asked, chunk(), { kind: 'client_closed' }, chunk(), ended(), journaled('close'))
  assert.equal(told.cancelled.length, 1)
  assert.equal(told.written, 1, 'nothing is written to a client that left')
  assert.equal(flow.closing?.outcome, 'client_closed')
  assert.equal(flow.closing?.attempts[0]?.usage.output_visible?.tokens, 3)
})

test('without a journal nothing is served: the stream ends with journal_unavailable', () => {
  const open = start()
  open.tell(asked, unjournaled('open'), ended(), journaled('close'))
  assert.deepEqual(open.told.endings, [{ kind: 'settled', outcome: 'journal_unavailable' }])
  const close = start()
  close.tell(asked, journaled('open'), chunk(), ended(), unjournaled('close'))
  assert.deepEqual(close.told.endings, [{ kind: 'settled', outcome: 'journal_unavailable' }])
  assert.equal(close.told.kept.length, 1, 'the row is kept for when the journal works again')
  assert.equal(close.told.kept[0]?.outcome, 'journal_unavailable')
})

test('when all replicas are busy it waits, has its turn, and is refused past the bound', () => {
  const { told, policy, tell, flow } = start()
  const others = [0, 1, 2, 3].map((n) => newFlow(id<RequestId>(`gw-x${n}`), ask, snapshot, seconds(0)))
  for (const other of others) {
    policy.admit(other, seconds(0))
    other.replica = policy.route(other, seconds(0))
  }
  tell(asked)
  assert.equal(flow.phase, 'queued')
  assert.equal(told.waits, 1)
  if (others[0]) policy.left(others[0], undefined, seconds(0))
  tell({ kind: 'turn' })
  assert.equal(flow.phase, 'generating')
})

test('a denied answer stops at the engine, lets nothing more out, and settles with what was made', () => {
  const { told, flow, tell } = start()
  tell(asked, begun(), chunk(), denied, chunk(), denied)
  assert.deepEqual([told.written, told.cancelled.length], [1, 1])
  tell(failed(), journaled('close'))
  const [row] = closes(told.rows)
  assert.equal(row?.outcome, 'denied')
  assert.equal(row?.attempts[0]?.usage.output_visible?.tokens, 2)
  assert.equal(flow.denial?.code, 'answer_denied')
  const left = start()
  left.tell(asked, begun(), { kind: 'client_closed' }, denied, failed(), journaled('close'))
  assert.equal(left.flow.closing?.outcome, 'client_closed', 'who left first has left')
})

const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  fc.constantFrom<Event>(
    asked,
    { kind: 'turn' },
    { kind: 'client_closed' },
    { kind: 'deadline' },
    journaled('open'),
    journaled('close'),
    unjournaled('open'),
    unjournaled('close'),
    denied,
  ),
  fc
    .integer({ min: 1, max: 3 })
    .chain((attempt) => fc.constantFrom(begun(attempt), chunk(attempt), ended(attempt), failed(attempt))),
)

test('any event in any phase is safe: settles once, finishes once, holds no load afterwards', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 25 }), (events) => {
      const { told, flow, tell, policy } = start()
      tell(asked, ...events)
      assert(closes(told.rows).length <= 1, 'one close row')
      assert(told.endings.length <= 1, 'one ending')
      assert.equal(flow.phase === 'done', told.endings.length === 1)
      const bound = closes(told.rows).length === 1
      if (bound)
        for (const name of ['a', 'b']) assert.equal(policy.router.load(id(name)).running, 0, 'no load is left behind')
      assert(flow.attempts.length <= 2 && told.generated <= 2, 'the bound of attempts holds')
      if (flow.phase === 'generating') assert.equal(told.endings.length, 0)
    }),
    { numRuns: 3000 },
  )
})

test('splitting a chunk changes no row', () => {
  const cut = (parts: number[]): CloseRow | undefined => {
    const { flow, tell } = start()
    tell(asked, begun(), journaled('open'))
    for (const part of parts) tell({ kind: 'chunk', attempt: 1, tokens: tokens(part) })
    tell({ kind: 'failed', attempt: 1, failure: { fault: 'truncated', message: '' }, usage: undefined })
    return flow.closing && { ...flow.closing, closed_ms: 0, ttft_ms: 0 }
  }
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 }), (parts) => {
      assert.deepEqual(cut(parts), cut([parts.reduce((a, b) => a + b)]))
    }),
  )
})

const late = (attempt = 1): Event => ({ kind: 'late', attempt })

test('a late request is tried elsewhere: who answers first wins, the other is cancelled, kept, and waste', () => {
  for (const winner of [1, 2]) {
    const loser = 3 - winner
    const { told, flow, tell } = start(true)
    tell(asked, begun(1), late(), begun(2), chunk(winner), chunk(loser), ended(winner))
    assert.equal(told.watched, 1)
    assert.deepEqual(told.cancelled, [loser])
    assert.equal(told.written, 1, 'nothing of the loser is written')
    assert.equal(closes(told.rows).length, 0, 'the row waits for what the loser used')
    tell(failed(loser), journaled('close'))
    const attempts = flow.closing?.attempts ?? []
    assert.deepEqual(
      attempts.map(({ number, lost, usage }) => [number, lost, usage.output_visible?.tokens]),
      [
        [loser, true, 1],
        [winner, undefined, 3],
      ],
    )
    assert.notEqual(attempts[0]?.replica, attempts[1]?.replica)
    assert.deepEqual(attempts.map(({ number, hedge }) => [number, hedge !== undefined]).sort(), [
      [1, false],
      [2, true],
    ])
    assert.equal(flow.closing?.outcome, 'complete')
  }
})

test('no hedge after the first byte, none for a batch, none without a budget, one at most', () => {
  const spoken = start(true)
  spoken.tell(asked, chunk(), late())
  const poor = start()
  poor.tell(asked, late())
  const again = start(true)
  again.tell(asked, late(1), late(1), late(2))
  assert.deepEqual([spoken.told.generated, poor.told.generated, poor.told.watched, again.told.generated], [1, 1, 0, 2])
  const batch = start(true)
  const flow = newFlow(id<RequestId>('gw-b'), { ...ask, slo: 'batch' }, snapshot, seconds(0))
  batch.step(flow, asked, seconds(0))
  assert.equal(batch.told.watched, 0)
})

test('who leaves while two attempts run pays for the first alone', () => {
  const { told, flow, tell } = start(true)
  tell(asked, begun(1), late(), begun(2), { kind: 'client_closed' })
  assert.deepEqual(told.cancelled.sort(), [1, 2])
  tell(failed(1), failed(2), journaled('close'))
  assert.equal(flow.closing?.outcome, 'client_closed')
  assert.deepEqual(
    flow.closing?.attempts.map(({ number, lost }) => [number, lost]),
    [
      [2, true],
      [1, undefined],
    ],
  )
})

test('an attempt that fails beside another leaves the answer to it', () => {
  for (const broken of [1, 2]) {
    const { told, flow, tell } = start(true)
    tell(asked, late(), failed(broken), chunk(3 - broken), ended(3 - broken), journaled('close'))
    assert.equal(told.generated, 2)
    assert.equal(flow.closing?.outcome, 'complete')
    assert.deepEqual(
      flow.closing?.attempts.map(({ number }) => number),
      [broken, 3 - broken],
    )
  }
})

test('two attempts: any order of events is safe, each attempt has one part in the row, and one at most is billed', () => {
  const events = fc.array(fc.oneof(anyEvent, fc.constantFrom(late(1), late(2))), { maxLength: 25 })
  let hedged = 0
  fc.assert(
    fc.property(events, (events) => {
      const { told, flow, tell, policy } = start(true)
      tell(asked, late(), ...events)
      for (let attempt = 1; attempt <= flow.tries; attempt++) tell(failed(attempt))
      for (let attempt = 1; attempt <= flow.tries; attempt++) tell(failed(attempt))
      const [row, second] = closes(told.rows)
      assert(row && !second, 'it settles once, when all that was started has ended')
      const numbers = row.attempts.map(({ number }) => number).sort()
      assert.deepEqual(
        numbers,
        [...Array(told.generated).keys()].map((n) => n + 1),
        'no attempt is missing or twice',
      )
      const billed = row.attempts.filter((one, at) => !wasteCause(row, one, at === row.attempts.length - 1))
      assert(billed.length <= 1)
      assert(!row.attempts.at(-1)?.lost)
      if (row.attempts.some(({ lost }) => lost)) hedged++
      for (const name of ['a', 'b']) assert.equal(policy.router.load(id(name)).running, 0, 'no load is left behind')
    }),
    { numRuns: 3000 },
  )
  assert(hedged > 100, `${hedged} hedges`)
})
