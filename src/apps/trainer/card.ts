import type { Checked, Made, Order } from '../../lines/models/line.ts'
import { SURE } from '../../lines/models/line.ts'
import type { Share } from '../../lines/models/statistics.ts'

export interface CardFacts {
  readonly order: Order
  readonly command: string
  readonly dataSha256: string
  readonly fileSha256: string
  readonly seconds: number
  readonly idleWatts: number
  readonly fullWatts: number
  readonly cores: number
}

const percent = (share: number): number => Math.round(share * 1000) / 10
const told = ({ right, of, share, low, high }: Share) => ({
  percent: percent(share),
  low: percent(low),
  high: percent(high),
  right,
  of,
})

/** Energy of CPU seconds by the linear model: one busy core of a machine with `cores`, its share of the idle power included. */
const joules = (cpuSeconds: number, { idleWatts, fullWatts, cores }: CardFacts): number =>
  (cpuSeconds * (idleWatts + (fullWatts - idleWatts))) / cores

/** The card: what the model is, where it came from, what it can do and what that cost. */
export function card(made: Made, checked: Checked, facts: CardFacts) {
  const { verdict, dataset } = made
  return {
    name: 'starter',
    what: 'A specialist: one message of a bank customer in, one of 77 intents out, as JSON with a stated confidence. It does not chat.',
    architecture: { family: 'llama', parameters: made.parameters, ...made.shape, weights: 'F16 matrices, F32 norms' },
    file: { name: 'starter.gguf', bytes: made.file.length, sha256: facts.fileSha256, licence: 'Apache-2.0' },
    data: {
      name: 'Banking77, training part',
      origin: 'PolyAI-LDN/task-specific-datasets, banking_data/train.csv',
      commit: '57ec275d8078af65b7731c2a98be812d844a6d6b',
      sha256: facts.dataSha256,
      licence: 'CC-BY-4.0',
      cite: 'Casanueva et al. 2020, Efficient Intent Detection with Dual Sentence Encoders',
      repeats_dropped: dataset.dropped,
      train: dataset.train.length,
      calibrate: dataset.calibrate.length,
      test: dataset.test.length,
      split: "by SHA-256 of each message's set of words",
    },
    training: {
      command: facts.command,
      ...facts.order,
      seconds: { value: Math.round(facts.seconds), grade: 'measured' },
      cpu_seconds: { value: Math.round(made.cpuSeconds), grade: 'measured' },
      joules: {
        value: Math.round(joules(made.cpuSeconds, facts)),
        grade: 'estimated',
        model: `CPU seconds × ${facts.fullWatts} W / ${facts.cores} cores`,
      },
    },
    evaluation: {
      interval: '95 %, Wilson',
      accuracy: told(verdict.accuracy),
      top_three: told(verdict.topThree),
      baseline: { what: 'TF-IDF + multinomial logistic regression, same split', ...told(verdict.baseline) },
      paired_difference: verdict.difference,
      valid_json: told(verdict.validJson),
      calibration_error: {
        stated: Math.round(verdict.statedError * 1000) / 1000,
        softmax: Math.round(verdict.softmaxError * 1000) / 1000,
        measure: 'ECE, 10 bins',
      },
      accuracy_when_confidence_at_least: { confidence: SURE, ...told(verdict.sure) },
    },
    engine: {
      parity: {
        prompts: checked.prompts,
        equal: checked.equal,
        what: 'greedy answers of llama.cpp and of the reference forward pass',
      },
      joules_per_answer: {
        value: Number(joules(checked.cpuSecondsPerAnswer, facts).toPrecision(2)),
        grade: 'estimated',
      },
    },
  }
}
