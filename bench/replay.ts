/**
 * A recorded run of the live factory, replayed in the twin: npm run bench:replay [-- --requests 100 --load 0.6 --seed 1]
 *
 * A factory is started as its users start it, with a model of 51 M parameters in the embedded engine, and asked at random
 * moments. Step times are fitted on the steps that its engine logged in the first half of the run; the twin then gets the same
 * requests at the same moments and must come to the same tokens and the same bill, and near the same latencies.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { loadLlama, loadModel } from '../src/adapters/llama/model.ts'
import { promptOf } from '../src/adapters/llama/prompt.ts'
import type { CloseRow } from '../src/books/row.ts'
import { type Statement, StatementBuilder } from '../src/books/statement.ts'
import { noWork, plusWork } from '../src/plant/energy/step-energy.ts'
import { fitSteps } from '../src/plant/energy/step-fit.ts'
import type { StepReport } from '../src/plant/infrastructure/step.ts'
import { workOfStep } from '../src/plant/infrastructure/step-work.ts'
import { TwinRun } from '../src/twin/run.ts'
import { readScenario } from '../src/twin/scenario-read.ts'
import type { Traced } from '../src/twin/workload/mooncake.ts'
import { Beginnings } from '../src/twin/workload/prompt.ts'
import { writeLarger } from './attribution/larger.ts'
import { readSteps } from './attribution/load.ts'
import { startFactory, until } from './load/factory.ts'
import { median } from './load/figures.ts'
import { type Recorded, record } from './replay/record.ts'

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    load: { type: 'string', default: '0.6' },
  },
})
const [slots, batch, context] = [4, 512, 2048]
const tenant = 'replayed'
const ever = ['--from', '2020-01-01', '--to', '2100-01-01'] as const
const price = { input: '0.05', cached: '0.01', output: '0.2' }
const folder = mkdtempSync(join(tmpdir(), 'wattmill-replay-'))
const model = writeLarger(
  join(import.meta.dirname, '..', 'models', 'starter', 'starter.gguf'),
  join(folder, 'larger.gguf'),
)

interface Live {
  readonly requests: readonly Recorded[]
  readonly steps: readonly StepReport[]
  readonly statement: Statement
}

async function live(): Promise<Live> {
  const config = join(folder, 'wattmill.yaml')
  writeFileSync(config, `engine: { slots: ${slots}, context: ${context}, threads: 1 }\n`)
  const factory = await startFactory({ home: join(folder, 'home'), args: ['--config', config] })
  try {
    await factory.cli('models', 'add', model, '--name', 'larger')
    await factory.cli(
      'prices',
      'set',
      'larger',
      '--input',
      price.input,
      '--cache-read',
      price.cached,
      '--output',
      price.output,
    )
    const { key } = JSON.parse(await factory.cli('keys', 'create', '--tenant', tenant, '--slo', 'batch', '-o', 'json'))
    const requests = await record({
      base: factory.base,
      key,
      model: 'larger',
      requests: Number(values.requests),
      seed: Number(values.seed),
      load: Number(values.load),
      slots,
    })
    const statement = await until('all of it was in the books', async () => {
      const whole: Statement = JSON.parse(
        await factory.cli('books', 'statement', '--tenant', tenant, ...ever, '-o', 'json'),
      )
      return whole.requests === requests.length ? whole : undefined
    })
    return {
      requests,
      steps: readSteps(join(factory.home, 'engine')).filter((step) => step.model === 'larger'),
      statement,
    }
  } finally {
    await factory.stop()
  }
}

/** Step times by what was in the step, fitted on the first half; and what the engine's loop takes between two steps. */
function fitted(steps: readonly StepReport[]) {
  const half = steps.slice(0, Math.floor(steps.length / 2))
  const fit = fitSteps(
    half.map((step) => ({ work: workOfStep(step).reduce(plusWork, noWork), energy_j: step.took_us / 1000 })),
  )
  if (!fit) throw new Error(`too few steps to fit: ${half.length}; give more --requests`)
  // Between steps of one batch nothing is waited for: what passes there beyond the step is the loop's own.
  const between = half.flatMap((step, at) => {
    const next = half[at + 1]
    const same = next?.sequences.every(({ attempt }) => step.sequences.some((one) => one.attempt === attempt))
    return next && same ? next.at_ms - step.at_ms - next.took_us / 1000 : []
  })
  const host_ms = Math.max(0, between.reduce((sum, one) => sum + one, 0) / Math.max(1, between.length))
  const { step, prefill, prefill_context, decode, kv_read } = fit.coefficients
  return {
    host_ms,
    time: {
      step_ms: step,
      prefill_ms: prefill,
      pair_us: 1000 * prefill_context,
      decode_ms: decode,
      context_us: 1000 * kv_read,
    },
  }
}

/** Prompts as the engine saw them, token by token: what two have in common, both worlds find. */
async function traced(requests: readonly Recorded[]): Promise<Traced[]> {
  const loaded = await loadModel(await loadLlama(1, false), model, { slots: 1, threads: 1, context, batch })
  const beginnings = new Beginnings()
  const all = requests.map(({ text, sent_ms, output, prompt }) => {
    const read = promptOf(loaded, () => ({ kind: 'refused', message: 'no chat here' }), {
      do: 'generate',
      id: 'x',
      model: 'larger',
      text,
      sampling: {},
    })
    if (read.kind === 'refused' || read.tokens.length !== prompt)
      throw new Error('the prompt is not what the engine counted')
    const pieces = beginnings.name(read.tokens)
    return { at_ns: Math.round(sent_ms * 1e6), prompt: { tokens: prompt, pieces, pieceTokens: 1 }, answer: output }
  })
  await loaded.dispose()
  return all
}

const itl = (first: number, last: number, tokens: number): number =>
  tokens < 2 ? Number.NaN : (last - first) / (tokens - 1)

try {
  const { requests, steps, statement } = await live()
  const { time, host_ms } = fitted(steps)
  const order = requests.map((_, at) => at).sort((a, b) => (requests[a]?.sent_ms ?? 0) - (requests[b]?.sent_ms ?? 0))
  const sorted = order.map((at) => requests[at] as Recorded)
  const scenario = readScenario({
    name: 'replay',
    pools: [
      {
        name: 'embedded',
        model: 'larger',
        price_usd_per_million: price,
        host_ms,
        engine: { kind: 'llama.cpp', slots, batch, context_tokens: context },
        concurrency: 1000,
        step: { time },
      },
    ],
    clients: [{ tenant, slo: 'batch', max_tokens: 'answer' }],
    workload: { trace: 'recorded', format: 'json' },
  })
  const rows: CloseRow[] = []
  const run = new TwinRun(scenario, await traced(sorted), { onRow: (row) => row.kind === 'close' && rows.push(row) })
  const report = run.run()

  const bill = new StatementBuilder(tenant, 0, 0)
  for (const row of rows) bill.add(row, run.prices[0])
  const comparable = ({ lines, total_usd }: Pick<Statement, 'lines' | 'total_usd'>): string =>
    JSON.stringify([total_usd, ...lines.map((line) => ({ ...line, price_version: 0 }))])
  const identical = comparable(statement) === comparable(bill.done())

  const seen = {
    ttft: median(sorted.map((one) => one.first_ms - one.sent_ms)),
    itl: median(sorted.map((one) => itl(one.first_ms, one.last_ms, one.output))),
  }
  const off = { ttft: (report.ttft_ms?.p50 ?? 0) / seen.ttft - 1, itl: (report.tpot_ms?.p50 ?? 0) / seen.itl - 1 }
  const percent = (share: number): string => `${share > 0 ? '+' : ''}${(100 * share).toFixed(1)} %`
  const sum = (of: 'prompt' | 'cached' | 'output'): number => sorted.reduce((all, one) => all + one[of], 0)
  console.log(`${sorted.length} requests, ${steps.length} steps of the live engine; fitted on the first half:`)
  console.log(
    `  ${Object.entries(time)
      .map(([name, value]) => `${name} ${value.toPrecision(3)}`)
      .join(', ')}, host_ms ${host_ms.toPrecision(3)}`,
  )
  console.log(`  tokens   live ${sum('prompt')} in, ${sum('cached')} of them cached, ${sum('output')} out`)
  console.log(
    `           twin ${report.tokens.input} in, ${report.tokens.cached} of them cached, ${report.tokens.output} out`,
  )
  console.log(`  bill     ${identical ? `identical, to the nano-dollar: $${statement.total_usd}` : 'DIFFERENT'}`)
  console.log(
    `  TTFT p50 live ${seen.ttft.toFixed(1)} ms, twin ${report.ttft_ms?.p50.toFixed(1)} ms: ${percent(off.ttft)}`,
  )
  console.log(
    `  ITL p50  live ${seen.itl.toFixed(2)} ms, twin ${report.tpot_ms?.p50.toFixed(2)} ms: ${percent(off.itl)}`,
  )
  const isGood = identical && report.books.conserved && Math.abs(off.ttft) <= 0.25 && Math.abs(off.itl) <= 0.25
  console.log(`tokens and bill exact, TTFT and ITL within 25 %: ${isGood ? 'yes' : 'NO'}`)
  process.exitCode = isGood ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
process.exit()
