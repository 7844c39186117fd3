/**
 * Batches of which every part is run: the energy of each set of sequences is measured, not modelled. So the Shapley value of
 * what the engine really does is known, and the closed form of the fitted model can be held against it.
 */
import type { EngineModel, Sequence } from '../../src/adapters/llama/sequence.ts'
import type { SequenceStep } from '../../src/plant/infrastructure/step.ts'
import { id } from '../../src/units/ids.ts'
import type { Dice } from '../dice.ts'

export interface MeasuredGame {
  readonly sequences: readonly SequenceStep[]
  /** CPU time of the step with these sequences (as bits) in it, median over the repeats, µs. */
  readonly cpu_us: readonly number[]
}

/** A batch drawn by chance: most sequences decode at some depth, one or two read a piece of a prompt. */
export async function measureGame(model: EngineModel, n: number, repeats: number, chance: Dice): Promise<MeasuredGame> {
  const players = model.sequences.slice(0, n).map((sequence, at) => {
    const prefill = at > 0 && chance.next() < 0.3 ? chance.whole(4, Math.floor(model.contextLength / 4)) : 0
    const context = chance.whole(8, model.contextLength - prefill - 4)
    return {
      sequence,
      step: { attempt: id<SequenceStep['attempt']>(`g-${at}/1`), prefill, decode: prefill > 0 ? 0 : 1, context },
    }
  })
  for (const { sequence, step } of players) {
    await sequence.keep(0)
    for (let at = 0; at < step.context; at += 64) await sequence.feed(text(Math.min(64, step.context - at)))
  }
  const times: number[][] = Array.from({ length: 2 ** n }, () => [])
  for (let round = 0; round < repeats; round++)
    for (const set of shuffled(2 ** n, chance)) {
      if (set === 0) continue
      const playing = players.filter((_, at) => set & (1 << at))
      times[set]?.push(await timed(playing))
    }
  return { sequences: players.map(({ step }) => step), cpu_us: times.map(median) }
}

/** One step of exactly these, and back to where they were. */
async function timed(playing: readonly { sequence: Sequence; step: SequenceStep }[]): Promise<number> {
  const before = process.cpuUsage()
  await Promise.all(
    playing.map(
      ({ sequence, step }): Promise<unknown> =>
        step.prefill > 0 ? sequence.feed(text(step.prefill)) : sequence.first(text(1), { sampling: hot }),
    ),
  )
  const { user, system } = process.cpuUsage(before)
  for (const { sequence, step } of playing) {
    await sequence.stop()
    await sequence.keep(step.context)
  }
  return user + system
}

const hot = { temperature: 5, top_k: 0, top_p: 1, min_p: 0 }
/** Any tokens will do. */
const text = (length: number): number[] => Array.from({ length }, (_, at) => 300 + (at % 600))

function shuffled(length: number, chance: Dice): number[] {
  const order = Array.from({ length }, (_, at) => at)
  for (let at = length - 1; at > 0; at--) {
    const other = chance.whole(0, at)
    ;[order[at], order[other]] = [order[other] as number, order[at] as number]
  }
  return order
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? 0
