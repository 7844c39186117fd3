/** A recorded run, on simulated time: the same requests at the same moments through the same line, policy and books. */
import { readFileSync } from 'node:fs'
import type { CloseRow } from '../../src/books/row.ts'
import { unpackStarter } from '../../src/lines/models/starter.ts'
import { tokenizer } from '../../src/lines/models/tokenizer.ts'
import { noWork, plusWork } from '../../src/plant/energy/step-energy.ts'
import { fitSteps } from '../../src/plant/energy/step-fit.ts'
import type { StepReport } from '../../src/plant/infrastructure/step.ts'
import { workOfStep } from '../../src/plant/infrastructure/step-work.ts'
import { runTwin } from '../../src/twin/run.ts'
import { readScenario } from '../../src/twin/scenario-read.ts'
import type { Traced } from '../../src/twin/workload/mooncake.ts'
import { Beginnings } from '../../src/twin/workload/prompt.ts'
import { median } from '../load/figures.ts'
import type { Recorded } from './record.ts'
import { askedAt, starter } from './record.ts'

/** What a step takes: seconds by what is in it, and between two of them. */
export interface StepTimes {
  readonly step: number
  readonly prefill: number
  readonly decode: number
  readonly kv_read: number
  readonly host: number
}

export function fitTimes(steps: readonly StepReport[]): StepTimes {
  const observed = steps.map((step) => ({
    work: workOfStep(step).reduce(plusWork, noWork),
    energy_j: step.took_us / 1e6,
  }))
  const fitted = fitSteps(observed)
  if (!fitted) throw new Error('too few steps to fit their time')
  // Between two steps the host writes its log, tells, and plans: while there is work, what is not in a step is that.
  const gaps_ms = steps.slice(1).map((step, at) => step.at_ms - (steps[at]?.at_ms ?? 0) - step.took_us / 1000)
  const host = Math.max(0, median(gaps_ms.filter((gap) => gap < 20))) / 1000
  return { ...fitted.coefficients, host }
}

export function replay({ prompts, rows }: Recorded, times: StepTimes): CloseRow[] {
  const { encode } = tokenizer(unpackStarter(readFileSync(starter)).vocabulary)
  const beginnings = new Beginnings()
  /** Pieces of a token each, by the model's own vocabulary; what the engine puts before them all is alike for all. */
  const promptOf = (text: string, tokens: number): Traced['prompt'] => {
    const own = encode(text)
    const pieces = [...Array.from({ length: tokens - own.length }, () => 'begin'), ...own]
    if (pieces.length !== tokens)
      throw new Error(`${JSON.stringify(text)} is ${own.length} tokens here, ${tokens} in the engine`)
    return { tokens, pieces: Int32Array.from(beginnings.name(pieces)), pieceTokens: 1 }
  }
  const first_ms = askedAt(rows[0] as CloseRow)
  const traced = rows.map((row, at): Traced => {
    const usage = row.attempts.at(-1)?.usage
    return {
      at_ns: Math.round((askedAt(row) - first_ms) * 1e6),
      prompt: promptOf(prompts[at] ?? '', (usage?.input_uncached?.tokens ?? 0) + (usage?.cache_read?.tokens ?? 0)),
      answer: usage?.output_visible?.tokens ?? 0,
    }
  })
  const replayed: CloseRow[] = []
  runTwin(scenarioOf(times), traced, { onRow: (row) => void (row.kind === 'close' && replayed.push(row)) })
  return replayed.sort((a, b) => askedAt(a) - askedAt(b) || a.id.length - b.id.length || (a.id < b.id ? -1 : 1))
}

const scenarioOf = ({ step, prefill, decode, kv_read, host }: StepTimes) =>
  readScenario({
    name: 'replay of the embedded engine',
    pools: [
      {
        name: 'embedded',
        model: 'larger',
        concurrency: 260,
        price_usd_per_million: { input: '0.5', cached: '0.05', output: '2' },
        engine: { kind: 'llama.cpp', slots: 4, batch: 512, context_tokens: 2048 },
        host_ms: 1000 * host,
        step: {
          time: {
            step_ms: Math.max(0.001, 1000 * step), // a fit may give all of it to the decodes
            prefill_ms: 1000 * prefill,
            decode_ms: 1000 * decode,
            context_us: 1e6 * kv_read,
          },
        },
      },
    ],
    clients: [{ tenant: 't', max_tokens: 'answer' }],
    workload: { trace: 'recorded', format: 'json' },
    journal_commit_ms: 1,
  })
