/**
 * `npm run bench:replay`: a run of the live embedded engine, recorded and replayed in the twin: the same requests at the same
 * moments through the same line and policy. Tokens must be the same to the last, so that the books are; the medians of TTFT and
 * of ITL must be within a quarter. Step times are fitted to the first half of the engine's own log; both halves are replayed.
 *
 *     npm run bench:replay -- [--requests 120] [--per-second 2] [--seed 1]
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { post } from '../src/books/post.ts'
import { priceList } from '../src/books/price.ts'
import type { CloseRow } from '../src/books/row.ts'
import { itlOf } from '../src/books/tally.ts'
import type { StepLine } from '../src/books/work.ts'
import { stepOfLine } from '../src/books/work.ts'
import { unpackStarter } from '../src/lines/models/starter.ts'
import { tokenizer } from '../src/lines/models/tokenizer.ts'
import { noWork, plusWork } from '../src/plant/energy/step-energy.ts'
import { fitSteps } from '../src/plant/energy/step-fit.ts'
import type { StepReport } from '../src/plant/infrastructure/step.ts'
import { workOfStep } from '../src/plant/infrastructure/step-work.ts'
import { runTwin } from '../src/twin/run.ts'
import { readScenario } from '../src/twin/scenario-read.ts'
import type { Traced } from '../src/twin/workload/mooncake.ts'
import { Beginnings } from '../src/twin/workload/prompt.ts'
import { price } from '../src/units/amount.ts'
import { id } from '../src/units/ids.ts'
import { writeLarger } from './attribution/larger.ts'
import { readEngineLogs } from './audit/read.ts'
import { dice } from './dice.ts'
import { startFactory, until } from './load/factory.ts'
import { median } from './load/figures.ts'

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '120' },
    'per-second': { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
  },
})
const chance = dice(Number(values.seed))
const words = [
  'card',
  'lost',
  'transfer',
  'fee',
  'where',
  'money',
  'account',
  'why',
  'late',
  'exchange',
  'pin',
  'top up',
]
const openings = ['I have a question about my ', 'Please look into this for me: ', 'Hello, ']
const band = 0.25

interface Sent {
  readonly at_ms: number
  readonly prompt: string
  readonly answer: number
}

const asks = Array.from({ length: Number(values.requests) }, () => ({
  wait_ms: (-1000 * Math.log(1 - chance.next())) / Number(values['per-second']),
  prompt: `${chance.pick(openings)}${Array.from({ length: chance.whole(3, 40) }, () => chance.pick(words)).join(' ')}`,
  answer: chance.whole(4, 40),
}))

const factory = await startFactory()
const sent: Sent[] = []
let rows: CloseRow[]
let steps: StepReport[]
try {
  const model = writeLarger('models/starter/starter.gguf', join(factory.home, 'larger.gguf'))
  await factory.cli('models', 'add', model, '--name', 'larger')
  await factory.cli('prices', 'set', 'larger', '--input', '0.5', '--cache-read', '0.05', '--output', '2')
  const { key } = JSON.parse(await factory.cli('keys', 'create', '--tenant', 't', '--slo', 'interactive', '-o', 'json'))
  const ask = async ({ prompt, answer }: (typeof asks)[number]): Promise<void> => {
    const response = await fetch(`${factory.base}/v1/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'larger', prompt, max_tokens: answer, stream: true, seed: 1 }),
    })
    const text = await response.text()
    if (!text.includes('[DONE]')) throw new Error(`${response.status} ${text.slice(0, 300)}`)
  }
  sent.push({ at_ms: Date.now(), prompt: 'warm up', answer: 4 })
  await ask({ wait_ms: 0, prompt: 'warm up', answer: 4 })
  const running: Promise<void>[] = []
  for (const one of asks) {
    await sleep(one.wait_ms)
    sent.push({ at_ms: Date.now(), prompt: one.prompt, answer: one.answer })
    running.push(ask(one))
  }
  await Promise.all(running)
  await until('all are in the books', async () => {
    const found = JSON.parse(await factory.cli('books', 'check', '-o', 'json')) as {
      requests: number
      conserved: boolean
    }
    return found.requests === asks.length + 1 && found.conserved ? true : undefined
  })
  const exported = (await factory.cli('books', 'export'))
    .split('\n')
    .filter((line) => line.startsWith('{"record":"request"'))
  rows = exported
    .map((line) => JSON.parse((JSON.parse(line) as { body: string }).body) as CloseRow)
    .sort((a, b) => askedAt(a) - askedAt(b))
  steps = readEngineLogs(factory.home)
    .flatMap(({ lines }) => lines as unknown as StepLine[])
    .filter((line) => line.log === 'step' && line.model === 'larger')
    .flatMap((line) => stepOfLine(line) ?? [])
} finally {
  await factory.stop()
  rmSync(factory.home, { recursive: true, force: true })
}

function askedAt(row: CloseRow): number {
  return row.at_ms - row.queued_ms
}

const known = steps.slice(0, Math.ceil(steps.length / 2))
const fitted = fitSteps(
  known.map((step) => ({ work: workOfStep(step).reduce(plusWork, noWork), energy_j: step.took_us / 1e6 })),
)
if (!fitted) throw new Error('too few steps to fit their time')
const { step: each_s, prefill: prefill_s, decode: decode_s, kv_read: context_s } = fitted.coefficients
// Between two steps the host writes its log, tells, and plans: while there is work, what is not in a step is that.
const gaps = known.slice(1).map((step, at) => step.at_ms - (known[at]?.at_ms ?? 0) - step.took_us / 1000)
const host_ms = Math.max(0, median(gaps.filter((gap) => gap < 20)))

const { encode } = tokenizer(unpackStarter(readFileSync('models/starter/starter.gguf')).vocabulary)
const beginnings = new Beginnings()
const first_ms = askedAt(rows[0] as CloseRow)
const traced = rows.map((row, at): Traced => {
  const usage = row.attempts.at(-1)?.usage
  const tokens = (usage?.input_uncached?.tokens ?? 0) + (usage?.cache_read?.tokens ?? 0)
  return {
    at_ns: Math.round((askedAt(row) - first_ms) * 1e6),
    prompt: promptOf(sent[at]?.prompt ?? '', tokens),
    answer: usage?.output_visible?.tokens ?? 0,
  }
})

/** Pieces of a token each, by the model's own vocabulary; what the engine puts before them all is alike for all. */
function promptOf(text: string, tokens: number): Traced['prompt'] {
  const own = encode(text)
  const pieces = [...Array.from({ length: tokens - own.length }, () => 'begin'), ...own]
  if (pieces.length !== tokens)
    throw new Error(`${JSON.stringify(text)} is ${own.length} tokens here, ${tokens} in the engine`)
  return { tokens, pieces: Int32Array.from(beginnings.name(pieces)), pieceTokens: 1 }
}

const scenario = readScenario({
  name: 'replay of the embedded engine',
  pools: [
    {
      name: 'embedded',
      model: 'larger',
      concurrency: 260,
      price_usd_per_million: { input: '0.5', cached: '0.05', output: '2' },
      engine: { kind: 'llama.cpp', slots: 4, batch: 512, context_tokens: 2048 },
      host_ms,
      step: {
        time: {
          step_ms: Math.max(0.001, 1000 * each_s), // a fit may give all of it to the decodes
          prefill_ms: 1000 * prefill_s,
          decode_ms: 1000 * decode_s,
          context_us: 1e6 * context_s,
        },
      },
    },
  ],
  clients: [{ tenant: 't', max_tokens: 'answer' }],
  workload: { trace: 'recorded', format: 'json' },
  journal_commit_ms: 1,
})
const replayed: CloseRow[] = []
runTwin(scenario, traced, { onRow: (row) => void (row.kind === 'close' && replayed.push(row)) })
replayed.sort((a, b) => askedAt(a) - askedAt(b) || a.id.length - b.id.length || (a.id < b.id ? -1 : 1))

const priced = {
  version: 1,
  model: id<CloseRow['model']>('larger'),
  effective_from_ms: 0,
  perMillion: priceList(price(500_000_000n), price(2_000_000_000n), { cache_read: price(50_000_000n) }),
  note: '',
}
const amounts = (row: CloseRow): string =>
  post(row, priced)
    .map(({ id, unit, amount }) => `${id.slice(id.indexOf('/') + 1)} ${unit} ${amount}`)
    .join(', ')
const differing = rows.filter((row, at) => replayed[at] && amounts(row) !== amounts(replayed[at] as CloseRow))
const sum = (all: readonly CloseRow[], unit: string): bigint =>
  all.flatMap((row) => post(row, priced)).reduce((total, one) => total + (one.unit === unit ? one.amount : 0n), 0n)
const medians = (all: readonly CloseRow[]) => ({
  ttft: median(all.flatMap(({ ttft_ms }) => ttft_ms ?? [])),
  itl: median(all.flatMap((row) => itlOf(row) ?? [])),
})
const [live, twin] = [medians(rows), medians(replayed)]
const off = (a: number, b: number): string => `${(100 * (b / a - 1)).toFixed(1)} %`

console.log(
  `${rows.length} requests recorded (measured), ${replayed.length} replayed (simulated), ${steps.length} steps`,
)
console.log(
  `a step: ${(1000 * each_s).toFixed(2)} ms + ${(1000 * prefill_s).toFixed(3)} a prompt token + ${(1000 * decode_s).toFixed(2)} a decode + ${(1e6 * context_s).toFixed(2)} µs a token of context; ${host_ms.toFixed(2)} ms of host between`,
)
console.log(`tokens: ${sum(rows, 'token')} recorded, ${sum(replayed, 'token')} replayed`)
console.log(`money: ${sum(rows, 'nano-USD')} nano-USD recorded, ${sum(replayed, 'nano-USD')} replayed`)
console.log(`requests whose postings differ: ${differing.length}`)
for (const row of differing.slice(0, 5))
  console.log(`  ${amounts(row)}\n  ${amounts(replayed[rows.indexOf(row)] as CloseRow)}`)
console.log(`TTFT p50: ${live.ttft} ms recorded, ${twin.ttft} ms replayed: ${off(live.ttft, twin.ttft)}`)
console.log(
  `ITL p50: ${live.itl.toFixed(2)} ms recorded, ${twin.itl.toFixed(2)} ms replayed: ${off(live.itl, twin.itl)}`,
)
const within = (a: number, b: number): boolean => Math.abs(b / a - 1) <= band
const ok =
  replayed.length === rows.length &&
  differing.length === 0 &&
  within(live.ttft, twin.ttft) &&
  within(live.itl, twin.itl)
console.log(ok ? 'replay: exact in tokens and books, medians within 25 %' : 'replay: FAILED')
process.exitCode = ok ? 0 : 1
