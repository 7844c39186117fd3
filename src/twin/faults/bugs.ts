import { MemoryBooks } from '../../books/memory.ts'
import type { Seen } from '../../books/seen.ts'
import type { JournalRow } from '../../books/ship.ts'
import type { Policy, World } from '../../lines/inference/flow.ts'
import { inferenceLine } from '../../lines/inference/line.ts'
import { closeRow } from '../../lines/inference/meter.ts'
import type { LivePolicy } from '../../lines/inference/policy.ts'
import { UpstreamAnswer } from '../../lines/inference/upstream.ts'
import type { MeterInterval } from '../../plant/energy/meter.ts'
import { interval } from '../../plant/energy/meter.ts'
import { millijoules } from '../../units/amount.ts'
import type { JsonObject } from '../../units/json.ts'
import { isObject } from '../../units/json.ts'
import { tokens } from '../../units/quantity.ts'
import type { Parts } from './parts.ts'
import { liveParts } from './parts.ts'

/**
 * Planted bugs: each was found in some gateway or billing engine, or is one a tired engineer would write. A simulator that
 * does not find them proves nothing by finding nothing.
 */
export const bugs: Readonly<Record<string, Partial<Parts>>> = {
  'dedup before write': { ship: dedupBeforeWrite() },
  'settles twice on abort': { line: worldWith((world) => ({ ...told(world), cancel: settleAtOnce(world) })) },
  'usage from the first of two chunks': { answer: () => new FirstUsage() },
  'reserve never released': { policy: () => policyWith((policy) => ({ settle: reserveKept(policy) })) },
  'load never given back': { policy: () => policyWith(() => ({ left: () => {} })) },
  'content before the open row': {
    line: worldWith((world) => ({ ...told(world), append: releaseAtOnce(world) })),
  },
  'done before the close row': {
    line: worldWith((world) => ({ ...told(world), append: finishAtOnce(world) })),
  },
  'a failed commit is taken for a good one': { committed: () => true },
  'the engine tells before it logs': { engineLogsFirst: false },
  'late events touch the next attempt': { line: lateEventsCount() },
  'retries after the first byte': { line: retriesLate() },
  'a stream runs over its budget': { policy: () => policyWith(runsOver) },
  'what a dead gateway spent is free again': { usedOf: () => 0n },
  'a meter reset is taken for a wrap': { interval: resetAsWrap },
  'energy is attributed before its requests are settled': { books: (hash) => new HastyBooks(hash) },
  'work dated back is counted in closed seconds': { books: (hash) => new TrustingBooks(hash) },
  'the attempt that lost is billed': { line: loserBilled() },
  'a cut stream is taken for a whole answer': { answer: () => new TrustingAnswer() },
}

export const withBug = (name: string): Parts => ({ ...liveParts, ...bugs[name] })

/** The methods of a world, so that some can be replaced: they live on its prototype. */
const told = (world: World): World => ({
  generate: (flow, replica) => world.generate(flow, replica),
  cancel: (flow, attempt) => world.cancel(flow, attempt),
  watch: (flow, after) => world.watch(flow, after),
  write: (flow, bytes) => world.write(flow, bytes),
  release: (flow) => world.release(flow),
  append: (flow, row) => world.append(flow, row),
  keep: (flow, row) => world.keep(flow, row),
  finish: (flow, ending) => world.finish(flow, ending),
  wait: (flow, after) => world.wait(flow, after),
})

function worldWith(change: (world: World) => World): Parts['line'] {
  return (policy: Policy, world: World) => inferenceLine(policy, change(world))
}

function policyWith(change: (policy: LivePolicy) => Partial<Policy>): LivePolicy {
  const policy = liveParts.policy()
  return { ...policy, ...change(policy) }
}

/** Rows are remembered as shipped, then written: who dies in between has lost them, and the retry says success. */
function dedupBeforeWrite(): Parts['ship'] {
  const claimed = new WeakMap<MemoryBooks, Set<string>>()
  return (books, incarnation, rows, effect) => {
    const known = claimed.get(books) ?? new Set<string>()
    claimed.set(books, known)
    const name = (row: JournalRow): string => `${incarnation} ${row.seq}`
    const fresh = rows.filter((row) => !known.has(name(row)))
    for (const row of fresh) known.add(name(row))
    effect()
    books.ship(incarnation, fresh)
  }
}

/** A first close row when the client leaves, and the line's own one when the engine has stopped. */
const settleAtOnce =
  (world: World): World['cancel'] =>
  (flow, attempt) => {
    if (flow.cut === 'client_closed') world.append(flow, closeRow(flow, 'client_closed', flow.askedAt))
    world.cancel(flow, attempt)
  }

const releaseAtOnce =
  (world: World): World['append'] =>
  (flow, row) => {
    world.append(flow, row)
    if (row.kind === 'open') world.release(flow)
  }

const finishAtOnce =
  (world: World): World['append'] =>
  (flow, row) => {
    world.append(flow, row)
    if (row.kind === 'close') world.finish(flow, { kind: 'settled', outcome: row.outcome })
  }

const reserveKept =
  (policy: LivePolicy): Policy['settle'] =>
  (flow, outcome, now) => {
    flow.holds = []
    policy.settle(flow, outcome, now)
  }

/** Tokens are let through whatever is left, and all of them are charged. */
const runsOver = (policy: LivePolicy): Partial<Policy> => ({
  extend: () => true,
  settle: (flow, outcome, now) => {
    const attempts = [...flow.attempts]
    policy.settle(flow, outcome, now)
    flow.attempts.splice(0, flow.attempts.length, ...attempts)
  },
})

function lateEventsCount(): Parts['line'] {
  return (policy, world) => {
    const step = inferenceLine(policy, world)
    return (flow, event, now) => step(flow, 'attempt' in event ? { ...event, attempt: flow.attempt } : event, now)
  }
}

/** Who lost is taken for one that was answered with: its tenant pays for that one. */
function loserBilled(): Parts['line'] {
  return worldWith((world) => ({
    ...told(world),
    append: (flow, row) => {
      const lost = row.kind === 'close' ? row.attempts.find((one) => one.lost) : undefined
      if (row.kind !== 'close' || !lost) return world.append(flow, row)
      const { lost: _, ...billed } = lost
      world.append(flow, { ...row, attempts: [...row.attempts.filter((one) => one !== lost), billed] })
    },
  }))
}

function retriesLate(): Parts['line'] {
  return (policy, world) => {
    const step = inferenceLine(policy, world)
    return (flow, event, now) => {
      if (event.kind === 'failed') flow.produced = tokens(0)
      step(flow, event, now)
    }
  }
}

function resetAsWrap(...[before, after, idle]: Parameters<Parts['interval']>): ReturnType<Parts['interval']> {
  const right = interval(before, after, idle)
  if (!right.reset || before.kind !== 'energy_counter' || after.kind !== 'energy_counter') return right
  return {
    ...right,
    energy: millijoules(BigInt(Math.floor((after.energy_uj + after.wraps_at_uj - before.energy_uj) / 1000))),
  }
}

/** Two trailing usage chunks: the first has no cached tokens, the second has them. */
class FirstUsage extends UpstreamAnswer {
  #had = false
  override chunk(chunk: JsonObject) {
    if (!isObject(chunk.usage)) return super.chunk(chunk)
    if (this.#had) return super.chunk({ ...chunk, usage: {} })
    this.#had = true
    return super.chunk(chunk)
  }
}

class TrustingAnswer extends UpstreamAnswer {
  override get whole(): boolean {
    return true
  }
}

class HastyBooks extends MemoryBooks {
  override seenIn(of: MeterInterval): Seen[] {
    return super.seenIn(of).filter(({ attempt }) => this.attempts.get(attempt)?.reconciled)
  }
}

/** As it was before the simulator found it: a clock that was set back dated work into intervals that were closed. */
class TrustingBooks extends MemoryBooks {
  protected override get firstOpenSecond(): number {
    return 0
  }
}
