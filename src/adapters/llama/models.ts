/**
 * The models of one host by name, as many of them in memory as fit: each with its own batch and queue.
 *
 * One load at a time, for loads share the disk and decide about the same memory. A model that must make room finishes its
 * streams first, and is known on: `cold` models are loaded again when somebody asks for them.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Batcher, type BatcherConfig } from './batcher.ts'
import { Embedder } from './embedder.ts'
import type { EngineLog } from './log.ts'
import type { EngineReport, KnownModel } from './protocol.ts'
import { makeRoom, type Resident } from './room.ts'
import type { EmbeddingModel, EngineModel } from './sequence.ts'
import { chatTemplate, type RenderChat } from './template.ts'

/** What brings models into memory. */
export interface ModelFiles {
  /** Memory that a file will take once loaded; rejects with the reason when it is no model. */
  bytes(path: string): Promise<number>
  /** Rejects with the reason, and then nothing of it is left in memory. */
  open(path: string): Promise<EngineModel | EmbeddingModel>
}

export interface ModelsConfig extends BatcherConfig {
  /** Bytes that models may take together. */
  readonly memory: number
  /** How long a model stays at least, ms: longer than its first requests take to come. */
  readonly leastStay?: number
}

/** Gateways look into their queues four times a second. */
const LEAST_STAY = 3000

/** A model in memory with what works on it. */
export type Serving =
  | { readonly makes: 'text'; readonly model: EngineModel; readonly work: Batcher; readonly render: RenderChat }
  | { readonly makes: 'vectors'; readonly model: EmbeddingModel; readonly work: Embedder }

export type Hosted = { readonly path: string; readonly bytes: number } & (
  | { readonly state: 'cold' }
  | { readonly state: 'loading'; readonly outcome: Promise<LoadOutcome> }
  | { readonly state: 'ready'; readonly serving: Serving; readonly since: number; used: number }
  | { readonly state: 'leaving'; readonly serving: Serving; readonly gone: Promise<void> }
  | { readonly state: 'failed'; readonly error: string }
)

type Ready = Extract<Hosted, { state: 'ready' }>

interface Going {
  readonly serving: Serving
  readonly bytes: number
  readonly gone: Promise<void>
}

export type LoadOutcome = Extract<EngineReport, { on: 'loaded' | 'load_failed' }>

export class Models {
  private readonly hosted = new Map<string, Hosted>()
  private readonly files: ModelFiles
  private readonly log: EngineLog
  private readonly config: ModelsConfig
  private readonly changed: () => void
  /** In memory until their streams have ended, whatever their name means by now. */
  private readonly going = new Set<Going>()
  private turn: Promise<unknown> = Promise.resolve()

  /** `changed` is called whenever a model changes its state. */
  constructor(files: ModelFiles, log: EngineLog, config: ModelsConfig, changed: () => void) {
    this.files = files
    this.log = log
    this.config = config
    this.changed = changed
  }

  /** For a request: a model that is ready counts as used. */
  find(name: string): Hosted | undefined {
    const hosted = this.hosted.get(name)
    if (hosted?.state === 'ready') hosted.used = performance.now()
    return hosted
  }

  /** Loads what fits beside what is there, in this order; the rest is cold. Resolves when all were tried. */
  async fill(models: readonly { readonly name: string; readonly path: string }[]): Promise<LoadOutcome[]> {
    return Promise.all(models.map(({ name, path }) => this.start(name, path, () => this.bringIfFits(name, path))))
  }

  /** Asking twice is one load; another file under a name needs `remove` first. Without a path it must be known. */
  load(name: string, path?: string): Promise<LoadOutcome> {
    const now = this.hosted.get(name)
    const file = path ?? now?.path
    if (file === undefined) return Promise.resolve(failed(name, `there is no model ${name}`))
    const held = now?.state === 'loading' || now?.state === 'ready' || now?.state === 'leaving'
    if (held && now.path !== file) return Promise.resolve(failed(name, `${name} is ${now.path}: remove it first`))
    if (now?.state === 'loading') return now.outcome
    if (now?.state === 'ready') return Promise.resolve({ on: 'loaded', model: name })
    return this.start(name, file, () => this.bring(name, file))
  }

  /** Lets its streams end, then frees it; it stays known. */
  async unload(name: string): Promise<void> {
    const hosted = this.hosted.get(name)
    if (hosted?.state === 'loading') return hosted.outcome.then(() => this.unload(name))
    if (hosted?.state === 'ready') return this.leave(name, hosted)
    if (hosted?.state === 'leaving') return hosted.gone
    if (hosted?.state === 'failed') this.set(name, { state: 'cold', path: hosted.path, bytes: hosted.bytes })
  }

  /** Ends what the model is doing, frees and forgets it. */
  async remove(name: string): Promise<void> {
    // What it is and what is done about it belong in one turn: after an `await` it may be another.
    const hosted = this.hosted.get(name)
    if (!hosted) return
    if (hosted.state === 'loading') return hosted.outcome.then(() => this.remove(name))
    this.hosted.delete(name)
    if (hosted.state !== 'ready' && hosted.state !== 'leaving') return this.changed()
    const { serving, bytes } = hosted
    const closed = serving.work.close({ how: 'failed', fault: 'unknown_model', message: `${name} was removed` })
    const freed =
      hosted.state === 'leaving'
        ? hosted.gone
        : this.heldUntil({ serving, bytes, gone: closed.then(() => this.free(name, serving.model)) })
    this.changed()
    await freed
    this.changed()
  }

  /**
   * Takes nothing new and lets streams end until it is `enough`; then cancels them and waits for the last steps. The models
   * stay in memory, for the process ends next.
   */
  async end(enough: Promise<unknown>): Promise<void> {
    const all = [...this.ready(), ...this.going]
    await Promise.race([Promise.all(all.map(({ serving }) => serving.work.drain())), enough])
    await Promise.all(all.map(({ serving }) => serving.work.close({ how: 'cancelled' })))
  }

  status(): EngineReport {
    const loads = [...this.ready(), ...this.going].map(({ serving }) => serving.work.load)
    const sum = (of: 'running' | 'waiting' | 'slots'): number => loads.reduce((total, load) => total + load[of], 0)
    return {
      on: 'status',
      incarnation: this.log.incarnation,
      models: [...this.hosted].map(([name, hosted]) => describe(name, hosted)),
      running: sum('running'),
      waiting: sum('waiting'),
      slots: sum('slots'),
      memory: { budget: this.config.memory, used: this.used() },
    }
  }

  private ready(): Ready[] {
    return [...this.hosted.values()].filter((hosted) => hosted.state === 'ready')
  }

  /** Bytes of all models in memory. */
  private used(): number {
    return [...this.ready(), ...this.going].reduce((total, { bytes }) => total + bytes, 0)
  }

  private set(name: string, hosted: Hosted): void {
    this.hosted.set(name, hosted)
    this.changed()
  }

  /** Takes its turn. Whatever goes wrong is the outcome. */
  private start(name: string, path: string, work: () => Promise<LoadOutcome>): Promise<LoadOutcome> {
    const before = this.hosted.get(name)
    const gone = before?.state === 'leaving' ? before.gone : Promise.resolve()
    const outcome = this.turn
      .then(() => gone)
      .then(work)
      .catch((error: unknown) => {
        const { syscall, code, message: told } = error as NodeJS.ErrnoException
        // Clients hear it: where the operator's files lie is not their business.
        const reason = syscall ? `its file cannot be read (${code})` : String(told ?? error)
        const message = reason.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 500) // it may quote bytes of the file
        this.set(name, { state: 'failed', path, bytes: 0, error: message })
        return failed(name, message)
      })
    this.turn = outcome
    this.set(name, { state: 'loading', path, bytes: 0, outcome })
    return outcome
  }

  private async bring(name: string, path: string): Promise<LoadOutcome> {
    const { memory, leastStay = LEAST_STAY } = this.config
    const bytes = await this.files.bytes(path)
    if (bytes > memory)
      throw new Error(
        `it needs about ${mebibytes(bytes)} MiB of memory and models may take ${mebibytes(memory)}: raise engine.memory_mib, or lower engine.context or engine.slots`,
      )
    for (;;) {
      const verdict = makeRoom(this.residents(), bytes, memory, performance.now(), leastStay)
      if (verdict.verdict === 'fits') break
      const victim = verdict.verdict === 'leave' ? this.hosted.get(verdict.name) : undefined
      if (verdict.verdict === 'leave' && victim?.state === 'ready') void this.leave(verdict.name, victim)
      else await this.somebodyGone(verdict.verdict === 'wait' ? verdict.ms : 1)
    }
    return this.open(name, path, bytes)
  }

  private async bringIfFits(name: string, path: string): Promise<LoadOutcome> {
    const bytes = await this.files.bytes(path)
    if (this.used() + bytes <= this.config.memory) return this.open(name, path, bytes)
    this.set(name, { state: 'cold', path, bytes })
    return failed(name, `it needs about ${mebibytes(bytes)} MiB, more than is left: it is loaded when it is asked for`)
  }

  private async open(name: string, path: string, bytes: number): Promise<LoadOutcome> {
    const model = await this.files.open(path)
    const now = performance.now()
    this.set(name, { state: 'ready', path, bytes, serving: this.serve(model), since: now, used: now })
    return { on: 'loaded', model: name }
  }

  private serve(model: EngineModel | EmbeddingModel): Serving {
    if (model.makes === 'vectors') return { makes: 'vectors', model, work: new Embedder(model, this.log, this.config) }
    const render = chatTemplate(model.template, model.beginText, model.endText)
    return { makes: 'text', model, render, work: new Batcher(model, this.log, this.config) }
  }

  private residents(): Resident[] {
    const going = [...this.going].map(({ bytes }) => ({
      name: '',
      bytes,
      busy: true,
      leaving: true,
      used: 0,
      since: 0,
    }))
    const ready = [...this.hosted].flatMap(([name, hosted]) => {
      if (hosted.state !== 'ready') return []
      const { running, waiting } = hosted.serving.work.load
      const { bytes, used, since } = hosted
      return { name, bytes, busy: running + waiting > 0, leaving: false, used, since }
    })
    return [...going, ...ready]
  }

  private async leave(name: string, { serving, path, bytes }: Ready): Promise<void> {
    const going: Going = { serving, bytes, gone: this.drained(name, serving) }
    const freed = this.heldUntil(going)
    this.set(name, { state: 'leaving', path, bytes, serving, gone: going.gone })
    await freed
    const now = this.hosted.get(name)
    if (now?.state === 'leaving' && now.serving === serving) this.set(name, { state: 'cold', path, bytes })
    else this.changed()
  }

  /** Its bytes count until it is gone. */
  private async heldUntil(going: Going): Promise<void> {
    this.going.add(going)
    await going.gone
    this.going.delete(going)
  }

  private async drained(name: string, { work, model }: Serving): Promise<void> {
    await work.drain()
    await this.free(name, model)
  }

  private async somebodyGone(atMost_ms: number): Promise<void> {
    await Promise.race([...[...this.going].map(({ gone }) => gone), sleep(atMost_ms)])
  }

  private async free(name: string, model: EngineModel | EmbeddingModel): Promise<void> {
    await model.dispose().catch((error: unknown) => console.error(`engine: ${name} was not freed: ${String(error)}`))
  }
}

const failed = (model: string, message: string): LoadOutcome => ({ on: 'load_failed', model, message })

const mebibytes = (bytes: number): number => Math.ceil(bytes / 1024 / 1024)

function describe(model: string, hosted: Hosted): KnownModel {
  const { path, state, bytes } = hosted
  const loaded = hosted.state === 'ready' || hosted.state === 'leaving' ? hosted.serving.model : undefined
  return {
    model,
    path,
    state,
    bytes,
    makes: loaded?.makes ?? null,
    context_length: loaded?.contextLength ?? 0,
    parameters: loaded?.parameters ?? 0,
    ...(hosted.state === 'failed' && { error: hosted.error }),
  }
}
