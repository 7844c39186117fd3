import type { Placing, ReplicaView } from './replica-view.ts'

/** What is spent on a request itself: a hosted engine's bill, or the chip time and energy of one of ours. */
export type Served = Pick<Placing, 'model' | 'prompt' | 'output'>

/** A machine of which nobody said what it costs: nano-dollars an hour. */
export const usualPerHour = 2_000_000_000

/** Prefill and decode alike, so that own replicas and hosted ones are compared by the same quantity; nano-dollars. */
export function servingCost(view: ReplicaView, uncached: number, served: Served): number {
  const parts = { prefill: 0, decode: 0 }
  serve(view, uncached, served, parts)
  return parts.prefill + parts.decode
}

export function serve(
  view: ReplicaView,
  uncached: number,
  { model, prompt, output }: Served,
  into: { prefill: number; decode: number },
): void {
  const { facts } = view.replica
  const list = facts?.listPrices?.[model]
  if (list) {
    into.prefill = (list.input * uncached + list.cached * Math.max(0, prompt - uncached)) / 1e6
    into.decode = (list.output * output) / 1e6
    return
  }
  const perSecond = chipPerSecond(view) + (facts?.activeWatts ?? 0) * (facts?.nanoDollarsPerJoule ?? 0)
  into.prefill = (uncached / view.prefillRate) * perSecond
  into.decode = (output / view.decodeRate) * perSecond
}

export const isHosted = ({ replica }: ReplicaView, { model }: Served): boolean =>
  replica.facts?.listPrices?.[model] !== undefined

export const chipPerSecond = ({ replica }: ReplicaView): number =>
  (replica.facts?.nanoDollarsPerHour ?? usualPerHour) / 3600
