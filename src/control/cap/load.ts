import type { SloClass } from '../../books/slo-class.ts'
import type { Watts } from '../../units/quantity.ts'

/** What draws power and has a meter of its own: an engine, or several that share one. */
export interface Load {
  readonly name: string
  readonly engines: readonly LoadedEngine[]
  /** Without work. */
  readonly idle: Watts
  /** The most that it can draw; null: nobody says. */
  readonly full: Watts | null
  /** Null: it has no meter, or that never said anything. */
  readonly reading: { readonly power: Watts; readonly at_ms: number } | null
  /** How often its meter should say something. */
  readonly period_ms: number
  /** It can be held to less than it would draw; null: only by giving it less to do. */
  readonly limiter: Limiter | null
}

/** The power limit of a device. What was asked for counts once it is confirmed. */
export interface Limiter {
  readonly least: Watts
  readonly most: Watts
  readonly confirmed: Watts
}

export interface LoadedEngine {
  readonly name: string
  readonly models: readonly string[]
  /** Requests that it takes at once, of all gateways. */
  readonly concurrency: number
  /** Under way at it now. */
  readonly running: number
}

/** What is asked of a model in a class: requests under way and waiting, and what is lost for each second that one of them waits. */
export interface Demand {
  readonly model: string
  readonly slo: SloClass
  readonly requests: number
  /** Any unit, the same for all. */
  readonly worth: number
}

export const concurrencyOf = ({ engines }: Load): number =>
  engines.reduce((sum, { concurrency }) => sum + concurrency, 0)
export const runningAt = ({ engines }: Load): number => engines.reduce((sum, { running }) => sum + running, 0)
export const servesModel = ({ engines }: Load, model: string): boolean =>
  engines.some(({ models }) => models.includes(model))

/** A meter that is silent for so many of its periods says nothing of now. */
const silentPeriods = 3

export const isFresh = ({ reading, period_ms }: Load, now_ms: number): boolean =>
  reading !== null && now_ms - reading.at_ms <= silentPeriods * period_ms
