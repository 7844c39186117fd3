/** Test only: a made model for the batcher, a real host on a tiny GGUF, and what is needed to ask and to read the log. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type AttemptReport, connectEngineHost, type EngineHostClient, type HostReport } from './client.ts'
import type { GenerateCommand } from './commands.ts'
import { type EngineHost, type HostConfig, startEngineHost } from './host.ts'
import { estimatedBytes } from './memory.ts'
import { loadLlama, type ModelConfig, openModel, type Runtime } from './model.ts'
import type { EngineCount, EngineLogLine } from './protocol.ts'
import type { EngineModel, Sampled, Sequence } from './sequence.ts'

/** Says 1, 2, 3 … after any prompt; `trouble` may throw, or hold a step up. Token 0 ends. */
export function madeModel(slots: number, trouble: (call: string, tokens: number) => unknown = () => {}): EngineModel {
  const sequence = (): Sequence => {
    let held: number[] = []
    let last = 0
    const pass = async (call: string, tokens: readonly number[]): Promise<Sampled> => {
      await undefined
      await trouble(call, held.length + tokens.length)
      held.push(...tokens)
      last++
      return { token: last }
    }
    return {
      held: () => held,
      cuttable: true,
      keep: async (length) => {
        await trouble('keep', length)
        held = held.slice(0, length)
        last = 0
      },
      feed: async (tokens) => {
        await pass('feed', tokens)
        last = 0
      },
      first: (tokens) => pass('first', tokens),
      next: () => pass('next', [last]),
      stop: async () => {},
    }
  }
  return {
    makes: 'text',
    contextLength: 1000,
    parameters: 1,
    sequences: Array.from({ length: slots }, sequence),
    tokenise: (text) => [...text].map((letter) => letter.charCodeAt(0)),
    detokenise: (tokens) => tokens.map((token) => `${token} `).join(''),
    isEnd: (token) => token === 0,
    bytesOf: (token) => Buffer.from(`${token} `),
    vocabulary: 1000,
    begin: undefined,
    template: undefined,
    beginText: '',
    endText: '',
    specialTexts: [],
    dispose: async () => {},
  }
}

export interface Heard {
  readonly reports: AttemptReport[]
  readonly text: string
  /** Sum of the step lines. */
  readonly tokens: number
  readonly last: AttemptReport | undefined
  readonly count: EngineCount | undefined
}

export function hearing(reports: AttemptReport[]): Heard {
  const steps = reports.flatMap((report) => (report.on === 'step' ? [report] : []))
  const last = reports.at(-1)
  const tail = last?.on === 'end' ? last.text : ''
  return {
    reports,
    text: steps.map((step) => step.text).join('') + tail,
    tokens: steps.reduce((sum, step) => sum + step.tokens, 0),
    last,
    count: last && 'count' in last ? last.count : undefined,
  }
}

let attempts = 0

/** Asks and waits for the last report. `each` sees every report as it comes. */
export function ask(
  client: EngineHostClient,
  command: Partial<GenerateCommand>,
  each: (report: AttemptReport) => void = () => {},
): Promise<Heard> {
  const id = command.id ?? `t${++attempts}/1`
  const reports: AttemptReport[] = []
  return new Promise((resolve) => {
    client.generate({ do: 'generate', id, model: 'tiny', sampling: { temperature: 0 }, ...command }, (report) => {
      reports.push(report)
      each(report)
      if (report.on === 'end' || report.on === 'fail' || report.on === 'lost') resolve(hearing(reports))
    })
  })
}

/** A client that is closed after the test; resolves with the first report that fits. */
export function dialled(
  t: TestContext,
  socketPath: string,
  fits: (report: HostReport, client: EngineHostClient) => boolean,
) {
  const heard: HostReport[] = []
  return new Promise<{ client: EngineHostClient; heard: HostReport[] }>((resolve) => {
    const client = connectEngineHost(socketPath, (report) => {
      heard.push(report)
      if (fits(report, client)) resolve({ client, heard })
    })
    t.after(() => client.close())
  })
}

export function temporaryFolder(t: TestContext | { after(run: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'wm-engine-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** One llama.cpp for a test file, as a process has: node-llama-cpp is not made to be loaded twice. */
let runtime: Promise<Runtime> | undefined
export const sharedLlama = (): Promise<Runtime> => {
  runtime ??= loadLlama(1, false)
  return runtime
}

const MODEL: ModelConfig = { slots: 4, threads: 1, context: 512, batch: 64 }

/** A host in this process with the given file as `tiny`, and a client that is ready. */
export async function startTiny(
  t: TestContext,
  file: string,
  config: Partial<HostConfig & ModelConfig> = {},
): Promise<{ host: EngineHost; client: EngineHostClient; folder: string; socketPath: string }> {
  const folder = temporaryFolder(t)
  const socketPath = join(folder, 's')
  const runtime = await sharedLlama()
  const settings = { ...MODEL, ...config }
  const host = await startEngineHost(
    { socketPath, logFolder: folder, queue: 256, memory: 1e9, leastStay: 0, ...settings },
    { bytes: (path) => estimatedBytes(runtime, path, settings), open: (path) => openModel(runtime, path, settings) },
  )
  const loaded = await host.load('tiny', file)
  if (loaded.on === 'load_failed') throw new Error(loaded.message)
  const { client } = await dialled(t, socketPath, (_, client) => client.ready())
  t.after(async () => {
    await host.close()
  })
  return { host, client, folder, socketPath }
}

/** The log's whole lines; a torn last one is left out, as every reader must. */
export function readLog(folder: string): EngineLogLine[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ndjson'))
    .sort()
    .flatMap((file) => readFileSync(join(folder, file), 'utf8').split('\n').slice(0, -1))
    .map((line) => JSON.parse(line) as EngineLogLine)
}

export interface Logged {
  readonly begins: number
  readonly tokens: number
  readonly end: Extract<EngineLogLine, { log: 'end' }> | undefined
}

/** What the log says of one attempt. */
export function loggedOf(lines: readonly EngineLogLine[], id: string): Logged {
  let begins = 0
  let tokens = 0
  let end: Logged['end']
  for (const line of lines) {
    if (line.log === 'begin' && line.id === id) begins++
    if (line.log === 'step') for (const [of, made] of line.made) if (of === id) tokens += made
    if (line.log === 'end' && line.id === id) end = line
  }
  return { begins, tokens, end }
}
