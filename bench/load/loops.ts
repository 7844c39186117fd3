/** Two kinds of load. Closed: as many clients as there are, each waits for its answer. Open: arrivals that wait for nobody. */
import { setTimeout as after } from 'node:timers/promises'
import { dice } from '../dice.ts'
import { exchange, type Sample, type Target, type Wish } from './exchange.ts'
import { type Spread, spread } from './figures.ts'

export interface Shape {
  readonly seconds: number
  readonly stream: boolean
  readonly maxTokens: number
  /** Share of the clients that hang up at some chunk. */
  readonly leaving: number
  readonly seed: number
}

export type Load = Shape &
  ({ readonly loop: 'closed'; readonly clients: number } | { readonly loop: 'open'; readonly perSecond: number })

export interface Result {
  readonly requests: number
  readonly perSecond: number
  readonly ended: Readonly<Record<Sample['ended'], number>>
  /** Open loop: arrivals that were not sent, since too many were under way. */
  readonly notSent: number
  readonly ttft_ms: Spread
  readonly gap_ms: Spread
  readonly took_ms: Spread
}

/** An open load that its target cannot bear must end somewhere: requests under way at once. */
const mostUnderWay = 5_000

export async function run(target: Target, load: Load): Promise<Result> {
  const wishes = wishesOf(load)
  const samples: Sample[] = []
  const start = performance.now()
  const notSent = load.loop === 'closed' ? 0 : await open(target, load, wishes, samples)
  if (load.loop === 'closed') await closed(target, load, wishes, samples)
  return resultOf(samples, notSent, (performance.now() - start) / 1000)
}

/** The same clients for the same seed. */
function* wishesOf({ stream, maxTokens, leaving, seed }: Shape): Generator<Wish, never> {
  const chance = dice(seed)
  for (;;) {
    const leaves = stream && chance.next() < leaving
    yield { stream, maxTokens, leavesAfter: leaves ? chance.whole(1, Math.max(1, maxTokens - 1)) : null }
  }
}

async function closed(
  target: Target,
  load: Load & { loop: 'closed' },
  wishes: Iterator<Wish, never>,
  samples: Sample[],
): Promise<void> {
  const end = performance.now() + load.seconds * 1000
  const client = async (): Promise<void> => {
    while (performance.now() < end) samples.push(await exchange(target, wishes.next().value))
  }
  await Promise.all(Array.from({ length: load.clients }, client))
}

/** Arrivals of a Poisson process: exponential gaps, decided by the seed before the first is sent. */
export function arrivals(perSecond: number, seconds: number, seed: number): number[] {
  const chance = dice(seed)
  const due: number[] = []
  for (let at = 0; ; ) {
    at += (-Math.log(1 - chance.next()) / perSecond) * 1000
    if (at >= seconds * 1000) return due
    due.push(at)
  }
}

async function open(
  target: Target,
  load: Load & { loop: 'open' },
  wishes: Iterator<Wish, never>,
  samples: Sample[],
): Promise<number> {
  const start = performance.now()
  const underWay = new Set<Promise<unknown>>()
  let notSent = 0
  for (const at of arrivals(load.perSecond, load.seconds, load.seed)) {
    const due = start + at
    const early = due - performance.now()
    if (early > 0) await after(early)
    const wish = wishes.next().value
    if (underWay.size >= mostUnderWay) {
      notSent++
      continue
    }
    const one = exchange(target, wish, due).then((sample) => samples.push(sample))
    underWay.add(one)
    void one.finally(() => underWay.delete(one))
  }
  await Promise.all(underWay)
  return notSent
}

/** Times are of answers that came whole; what failed is counted, never timed. */
function resultOf(samples: readonly Sample[], notSent: number, seconds: number): Result {
  const whole = samples.filter(({ ended }) => ended === 'whole')
  const ended = { whole: 0, left: 0, refused: 0, broken: 0 }
  for (const sample of samples) ended[sample.ended]++
  return {
    requests: samples.length,
    perSecond: whole.length / seconds,
    ended,
    notSent,
    ttft_ms: spread(whole.flatMap(({ ttft_ms }) => ttft_ms ?? [])),
    gap_ms: spread(whole.flatMap(({ gaps_ms }) => gaps_ms)),
    took_ms: spread(whole.map(({ took_ms }) => took_ms)),
  }
}
