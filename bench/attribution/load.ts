/** A mixed load on the embedded engine, in a process of its own: what its log says of each step, and what its client saw. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { connectEngineHost, type EngineHostClient } from '../../src/adapters/llama/client.ts'
import { parseEngineLine } from '../../src/adapters/sqlite/engine-line.ts'
import type { Timeline } from '../../src/books/window.ts'
import { stepOfLine } from '../../src/books/work.ts'
import type { StepReport } from '../../src/plant/infrastructure/step.ts'
import { id } from '../../src/units/ids.ts'
import { type Dice, dice } from '../dice.ts'

const engine = join(import.meta.dirname, '..', '..', 'src', 'apps', 'engine', 'main.ts')

export interface Run {
  readonly steps: readonly StepReport[]
  readonly timelines: readonly Timeline[]
}

export interface LoadPlan {
  readonly model: string
  readonly slots: number
  readonly seconds: number
  readonly seed: number
  /** Characters of a prompt and tokens of an answer, at most. */
  readonly prompt: number
  readonly output: number
}

export async function runLoad(plan: LoadPlan): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'wattmill-attribution-'))
  const socket = join(folder, 's')
  const args = ['--home', folder, '--socket', socket, '--slots', String(plan.slots), '--gpu', 'off']
  const child = spawn(process.execPath, [engine, ...args, '--model', `m=${plan.model}`], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  try {
    await once(child, 'message')
    const client = await connected(socket)
    const timelines = await ask(client, plan)
    client.close()
    return { steps: readSteps(join(folder, 'engine')), timelines }
  } finally {
    const gone = once(child, 'exit')
    child.kill('SIGTERM')
    await gone
    rmSync(folder, { recursive: true, force: true })
  }
}

const connected = (socket: string): Promise<EngineHostClient> =>
  new Promise((resolve) => {
    const client = connectEngineHost(socket, () => {
      if (client.ready()) resolve(client)
    })
  })

/** Phases of some seconds, each with another number of clients, from one alone to more than there are slots. */
async function ask(client: EngineHostClient, plan: LoadPlan): Promise<Timeline[]> {
  const chance = dice(plan.seed)
  const timelines: Timeline[] = []
  const end = performance.now() + plan.seconds * 1000
  const alive = Array.from({ length: plan.slots + 1 }, async (_, client_number) => {
    while (performance.now() < end) {
      const phase = Math.floor((performance.now() - end + plan.seconds * 1000) / 3000)
      if (client_number > dice(plan.seed * 1000 + phase).whole(0, plan.slots)) {
        await after(50)
        continue
      }
      timelines.push(await one(client, plan, chance, `b${plan.seed}-${timelines.length}-${client_number}/1`))
      if (chance.next() < 0.2) await after(chance.whole(1, 200))
    }
  })
  await Promise.all(alive)
  return timelines
}

function one(client: EngineHostClient, plan: LoadPlan, chance: Dice, name: string): Promise<Timeline> {
  // Short ones are many and long ones few, as people write; a hot sampler keeps the model from ending early.
  const text = letters(chance, 1 + Math.floor(plan.prompt * chance.next() ** 2))
  const max_tokens = 1 + Math.floor(plan.output * chance.next() ** 2)
  const begun_ms = Date.now()
  let first_ms: number | null = null
  return new Promise((resolve, reject) => {
    client.generate(
      {
        do: 'generate',
        id: name,
        model: 'm',
        text,
        max_tokens,
        sampling: { temperature: 5, top_k: 0, top_p: 1, min_p: 0 },
      },
      (report) => {
        if (report.on === 'step') first_ms ??= Date.now()
        if (report.on === 'fail' || report.on === 'lost')
          reject(new Error(`the engine failed: ${JSON.stringify(report)}`))
        if (report.on === 'end')
          resolve({ attempt: id(name), begun_ms, first_ms, last_ms: Date.now(), ...report.count })
      },
    )
  })
}

const letters = (chance: Dice, length: number): string =>
  Array.from({ length }, () => chance.pick([...'etaoinshrdlu     '])).join('')

function readSteps(folder: string): StepReport[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.ndjson'))
    .sort()
  const lines = files.flatMap((name) => readFileSync(join(folder, name), 'utf8').trimEnd().split('\n'))
  return lines.flatMap((text) => {
    const line = parseEngineLine(text)
    return line?.log === 'step' ? (stepOfLine(line) ?? []) : []
  })
}
