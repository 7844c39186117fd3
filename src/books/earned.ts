/** What replicas earned. Prices are of models: which replica served shows in the flow of tokens alone. */
import { apportion } from '../units/amount.ts'
import type { Sums } from './figures.ts'
import type { SummedPart } from './statement-sums.ts'
import { joined, parted } from './tally.ts'

/**
 * What an application paid for a model's tokens is its replicas', by the tokens of that side (input or output) that each served; what
 * came back by both. Within a side cached and uncached tokens count alike. The parts are what was paid, in whole nano-dollars.
 *
 * `flows`: by the names of the dimension `flow`.
 */
export function earnedByReplica(
  parts: Iterable<SummedPart>,
  flows: ReadonlyMap<string, Sums>,
): { readonly by: ReadonlyMap<string, bigint>; readonly unplaced: bigint } {
  let unplaced = 0n
  const paid = new Map<string, { input: bigint; output: bigint; back: bigint }>()
  for (const { tenant, application, model, cause, class: of, amount } of parts) {
    if (cause === 'cache_hit') unplaced += amount // no replica worked for it
    if (cause !== null && cause !== 'refund') continue
    const whose = joined(model, tenant, application)
    const sides = paid.get(whose) ?? { input: 0n, output: 0n, back: 0n }
    sides[cause === 'refund' ? 'back' : of === 'output_visible' || of === 'reasoning' ? 'output' : 'input'] += amount
    paid.set(whose, sides)
  }
  const served = Map.groupBy(flows, ([name]) => name.slice(name.indexOf('/') + 1))
  const by = new Map<string, bigint>()
  for (const [whose, { input, output, back }] of paid) {
    const of = served.get(whose) ?? []
    const counts = (...sides: string[]): bigint[] =>
      of.map(([, sums]) => BigInt(sides.reduce((sum, side) => sum + (sums.get(side) ?? 0), 0)))
    for (const [amount, weights, sign] of [
      [input, counts('input'), 1n],
      [output, counts('output'), 1n],
      [back, counts('input', 'output'), -1n],
    ] as const) {
      if (weights.every((weight) => weight === 0n)) {
        unplaced += sign * amount
        continue
      }
      for (const [at, part] of apportion(amount, weights).entries()) {
        const [replica = ''] = parted(of[at]?.[0] ?? '')
        by.set(replica, (by.get(replica) ?? 0n) + sign * part)
      }
    }
  }
  return { by, unplaced }
}
