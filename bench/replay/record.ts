/** A run of the live embedded engine under requests drawn by chance: what was asked, what the books and the engine's log say. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CloseRow } from '../../src/books/row.ts'
import type { StepLine } from '../../src/books/work.ts'
import { stepOfLine } from '../../src/books/work.ts'
import type { StepReport } from '../../src/plant/infrastructure/step.ts'
import { writeLarger } from '../attribution/larger.ts'
import { readEngineLogs } from '../audit/read.ts'
import { dice } from '../dice.ts'
import type { Factory } from '../load/factory.ts'
import { startFactory, until } from '../load/factory.ts'

export const starter = 'models/starter/starter.gguf'

export interface Plan {
  readonly requests: number
  readonly perSecond: number
  readonly seed: number
}

interface Ask {
  readonly wait_ms: number
  readonly prompt: string
  /** Tokens. */
  readonly answer: number
}

export interface Recorded {
  /** In the order in which they were asked, as the rows are. */
  readonly prompts: readonly string[]
  readonly rows: readonly CloseRow[]
  readonly steps: readonly StepReport[]
}

export const askedAt = (row: CloseRow): number => row.at_ms - row.queued_ms

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
const warmUp: Ask = { wait_ms: 0, prompt: 'warm up', answer: 4 }

/** Poisson arrivals; prompts that begin alike, so that the cache matters; short and longer answers. */
function drawn({ requests, perSecond, seed }: Plan): Ask[] {
  const chance = dice(seed)
  return Array.from({ length: requests }, () => ({
    wait_ms: (-1000 * Math.log(1 - chance.next())) / perSecond,
    prompt: `${chance.pick(openings)}${Array.from({ length: chance.whole(3, 40) }, () => chance.pick(words)).join(' ')}`,
    answer: chance.whole(4, 40),
  }))
}

export async function record(plan: Plan): Promise<Recorded> {
  const asks = drawn(plan)
  const factory = await startFactory()
  try {
    const model = writeLarger(starter, join(factory.home, 'larger.gguf'))
    await factory.cli('models', 'add', model, '--name', 'larger')
    await factory.cli('prices', 'set', 'larger', '--input', '0.5', '--cache-read', '0.05', '--output', '2')
    const { key } = JSON.parse(
      await factory.cli('keys', 'create', '--tenant', 't', '--slo', 'interactive', '-o', 'json'),
    )
    await send(factory, key, warmUp)
    const running: Promise<void>[] = []
    for (const ask of asks) {
      await sleep(ask.wait_ms)
      running.push(send(factory, key, ask))
    }
    await Promise.all(running)
    await until('all are in the books', async () => {
      const { requests, conserved } = JSON.parse(await factory.cli('books', 'check', '-o', 'json'))
      return requests === asks.length + 1 && conserved ? true : undefined
    })
    return {
      prompts: [warmUp, ...asks].map(({ prompt }) => prompt),
      rows: await rowsOf(factory),
      steps: stepsOf(factory),
    }
  } finally {
    await factory.stop()
    rmSync(factory.home, { recursive: true, force: true })
  }
}

async function send(factory: Factory, key: string, { prompt, answer }: Ask): Promise<void> {
  const response = await fetch(`${factory.base}/v1/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'larger', prompt, max_tokens: answer, stream: true, seed: 1 }),
  })
  const text = await response.text()
  if (!text.includes('[DONE]')) throw new Error(`${response.status} ${text.slice(0, 300)}`)
}

const rowsOf = async (factory: Factory): Promise<CloseRow[]> =>
  (await factory.cli('books', 'export'))
    .split('\n')
    .filter((line) => line.startsWith('{"record":"request"'))
    .map((line) => JSON.parse((JSON.parse(line) as { body: string }).body) as CloseRow)
    .sort((a, b) => askedAt(a) - askedAt(b))

const stepsOf = (factory: Factory): StepReport[] =>
  readEngineLogs(factory.home)
    .flatMap(({ lines }) => lines as unknown as StepLine[])
    .filter((line) => line.log === 'step' && line.model === 'larger')
    .flatMap((line) => stepOfLine(line) ?? [])
