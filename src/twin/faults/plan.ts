import type { Dice } from '../../lines/models/dice.ts'
import { dice } from '../../lines/models/dice.ts'
import { type StreamShape, streamShapes } from '../stream-shapes.ts'

export interface ClientPlan {
  readonly number: number
  readonly at_ms: number
  readonly tenant: string
  readonly model: 'own' | 'hosted' | 'either'
  readonly prompt: number
  readonly cached: number
  readonly output: number
  /** It leaves after so many tokens have reached it; undefined: it stays. */
  readonly leavesAfter: number | undefined
  readonly shape: StreamShape
}

export type Victim = 'gateway' | 'engine' | 'operator'

export type Fault =
  /** kill -9 right before an effect: the n-th of the victim's life that runs then. */
  | {
      readonly kind: 'kill'
      readonly victim: Victim
      readonly index: number
      readonly at_ms: number
      readonly effects: number
    }
  | { readonly kind: 'disk full'; readonly gateway: number; readonly at_ms: number; readonly for_ms: number }
  /** A commit takes a second. */
  | { readonly kind: 'slow disk'; readonly gateway: number; readonly at_ms: number; readonly for_ms: number }
  /** The end of an attempt is told again, late: a socket's error, and then its close. */
  | { readonly kind: 'told twice'; readonly at_ms: number; readonly for_ms: number }
  /** The engine answers nobody and takes nothing. */
  | { readonly kind: 'upstream away'; readonly at_ms: number; readonly for_ms: number }
  | { readonly kind: 'slow engine'; readonly index: number; readonly at_ms: number; readonly for_ms: number }
  /** The wall clock is set, forth or back. */
  | { readonly kind: 'clock'; readonly at_ms: number; readonly by_ms: number }
  | { readonly kind: 'meter gap'; readonly at_ms: number; readonly for_ms: number }
  | { readonly kind: 'meter reset'; readonly at_ms: number }
  /** A piece that was shipped before comes again, late. */
  | { readonly kind: 'shipped again'; readonly at_ms: number }
  /** The last line of an engine's log is torn by its death. */
  | { readonly kind: 'torn line'; readonly index: number; readonly at_ms: number }

/** One run: everything that will be tried, as data, so that a story can be cut shorter and told again. */
export interface Plan {
  readonly seed: number
  readonly gateways: number
  readonly engines: number
  readonly clients: readonly ClientPlan[]
  readonly faults: readonly Fault[]
}

/** A stream of chance of its own for each name: leaving one thing out does not change the others. */
export function chance(seed: number, name: string): Dice {
  let hash = (seed ^ 0x9e3779b9) >>> 0
  for (let at = 0; at < name.length; at++) hash = Math.imul(hash ^ name.charCodeAt(at), 0x01000193) >>> 0
  return dice(hash)
}

export const below = (next: Dice, count: number): number => Math.floor(next() * count)

/** Faults begin after the first requests and end before `faultsEnd_ms`: then everything must come to rest. */
const faultsEnd_ms = 20_000

export function planOf(seed: number): Plan {
  const next = chance(seed, 'plan')
  const clients = 4 + below(next, 22)
  const faults = below(next, 7)
  return {
    seed,
    gateways: 1 + below(next, 2),
    engines: 1 + below(next, 2),
    clients: Array.from({ length: clients }, (_, number) => clientPlan(chance(seed, `client ${number}`), number)),
    faults: Array.from({ length: faults }, (_, number) => faultPlan(chance(seed, `fault ${number}`))),
  }
}

function clientPlan(next: Dice, number: number): ClientPlan {
  const output = 1 + below(next, next() < 0.2 ? 120 : 25)
  const prompt = 1 + below(next, 400)
  return {
    number,
    at_ms: below(next, 15_000),
    tenant: `t${below(next, 3)}`,
    model: (['own', 'either', 'hosted', 'either'] as const)[below(next, 4)] ?? 'own',
    prompt,
    cached: next() < 0.4 ? below(next, prompt) : 0,
    output,
    leavesAfter: next() < 0.25 ? below(next, output + 1) : undefined,
    shape: next() < 0.5 ? 'usual' : (streamShapes[below(next, streamShapes.length)] ?? 'usual'),
  }
}

function faultPlan(next: Dice): Fault {
  const at_ms = 500 + below(next, faultsEnd_ms - 4000)
  const for_ms = 200 + below(next, 3000)
  const index = below(next, 2)
  switch (below(next, 18)) {
    case 0:
    case 1:
    case 2:
      return { kind: 'kill', victim: 'gateway', index, at_ms, effects: 1 + below(next, 40) }
    case 3:
    case 4:
      return { kind: 'kill', victim: 'engine', index, at_ms, effects: 1 + below(next, 40) }
    case 5:
    case 6:
      return { kind: 'kill', victim: 'operator', index: 0, at_ms, effects: 1 + below(next, 40) }
    case 7:
      return { kind: 'disk full', gateway: index, at_ms, for_ms }
    case 8:
      return { kind: 'upstream away', at_ms, for_ms }
    case 9:
      return { kind: 'slow engine', index, at_ms, for_ms }
    case 10:
      return { kind: 'clock', at_ms, by_ms: (next() < 0.5 ? -1 : 1) * (200 + below(next, 6000)) }
    case 11:
      return next() < 0.5 ? { kind: 'meter gap', at_ms, for_ms: 1000 + for_ms } : { kind: 'meter reset', at_ms }
    case 12:
      return { kind: 'shipped again', at_ms }
    case 13:
      return { kind: 'slow disk', gateway: index, at_ms, for_ms }
    case 14:
    case 15:
    case 16:
      return { kind: 'told twice', at_ms: 0, for_ms: faultsEnd_ms }
    default:
      return { kind: 'torn line', index, at_ms }
  }
}
