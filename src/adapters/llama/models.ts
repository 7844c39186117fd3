/** The models of one host by name: loading, ready or failed, each with its own batch and queue. */
import { Batcher, type BatcherConfig } from './batcher.ts'
import { Embedder } from './embedder.ts'
import type { EngineLog } from './log.ts'
import type { EngineReport, LoadedModel } from './protocol.ts'
import type { EmbeddingModel, EngineModel } from './sequence.ts'
import { chatTemplate, type RenderChat } from './template.ts'

/** Loads a file; rejects with the reason, and then nothing of it is left in memory. */
export type OpenModel = (path: string) => Promise<EngineModel | EmbeddingModel>

/** A model in memory with what works on it. */
export type Serving =
  | { readonly makes: 'text'; readonly model: EngineModel; readonly work: Batcher; readonly render: RenderChat }
  | { readonly makes: 'vectors'; readonly model: EmbeddingModel; readonly work: Embedder }

export type Hosted = { readonly path: string } & (
  | { readonly state: 'loading'; readonly outcome: Promise<LoadOutcome> }
  | { readonly state: 'ready'; readonly serving: Serving }
  | { readonly state: 'failed'; readonly error: string }
)

export type LoadOutcome = Extract<EngineReport, { on: 'loaded' | 'load_failed' }>

export class Models {
  private readonly hosted = new Map<string, Hosted>()
  private readonly open: OpenModel
  private readonly log: EngineLog
  private readonly config: BatcherConfig
  private readonly changed: () => void

  /** `changed` is called whenever a model changes its state. */
  constructor(open: OpenModel, log: EngineLog, config: BatcherConfig, changed: () => void) {
    this.open = open
    this.log = log
    this.config = config
    this.changed = changed
  }

  find(name: string): Hosted | undefined {
    return this.hosted.get(name)
  }

  /** Loads the file under this name. Asking twice for the same is one load; another file needs `unload` first. */
  load(name: string, path: string): Promise<LoadOutcome> {
    const now = this.hosted.get(name)
    if (now && now.state !== 'failed') {
      const other = { on: 'load_failed', model: name, message: `${name} is ${now.path}: unload it first` } as const
      if (now.path !== path) return Promise.resolve(other)
      return now.state === 'loading' ? now.outcome : Promise.resolve({ on: 'loaded', model: name })
    }
    const outcome = this.bring(name, path)
    this.hosted.set(name, { state: 'loading', path, outcome })
    this.changed()
    return outcome
  }

  private serve(model: EngineModel | EmbeddingModel): Serving {
    if (model.makes === 'vectors') return { makes: 'vectors', model, work: new Embedder(model, this.log, this.config) }
    const render = chatTemplate(model.template, model.beginText, model.endText)
    return { makes: 'text', model, render, work: new Batcher(model, this.log, this.config) }
  }

  private async bring(name: string, path: string): Promise<LoadOutcome> {
    try {
      this.hosted.set(name, { state: 'ready', path, serving: this.serve(await this.open(path)) })
      return { on: 'loaded', model: name }
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      const message = reason.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 500) // it may quote bytes of the file
      this.hosted.set(name, { state: 'failed', path, error: message })
      return { on: 'load_failed', model: name, message }
    } finally {
      this.changed()
    }
  }

  /** Ends what the model is doing and frees it. */
  async unload(name: string): Promise<void> {
    const loading = this.hosted.get(name)
    if (loading?.state === 'loading') await loading.outcome
    const hosted = this.hosted.get(name)
    this.hosted.delete(name)
    if (hosted?.state === 'ready') {
      const { work, model } = hosted.serving
      await work.close({ how: 'failed', fault: 'unknown_model', message: `${name} was unloaded` })
      await model.dispose().catch((error) => console.error(`engine: ${name} was not freed: ${String(error)}`))
    }
    this.changed()
  }

  /** Cancels every stream and waits for the last steps; the models stay in memory, for the process ends next. */
  async cancelAll(): Promise<void> {
    const ready = [...this.hosted.values()].flatMap((hosted) => (hosted.state === 'ready' ? [hosted.serving.work] : []))
    await Promise.all(ready.map((work) => work.close({ how: 'cancelled' })))
  }

  status(): EngineReport {
    const loads = [...this.hosted.values()].flatMap((hosted) =>
      hosted.state === 'ready' ? [hosted.serving.work.load] : [],
    )
    const sum = (of: 'running' | 'waiting' | 'slots'): number => loads.reduce((total, load) => total + load[of], 0)
    return {
      on: 'status',
      incarnation: this.log.incarnation,
      models: [...this.hosted].map(([name, hosted]) => describe(name, hosted)),
      running: sum('running'),
      waiting: sum('waiting'),
      slots: sum('slots'),
    }
  }
}

function describe(model: string, hosted: Hosted): LoadedModel {
  const { path, state } = hosted
  if (hosted.state !== 'ready')
    return {
      model,
      path,
      context_length: 0,
      parameters: 0,
      state,
      ...(hosted.state === 'failed' && { error: hosted.error }),
    }
  const { contextLength, parameters } = hosted.serving.model
  return { model, path, context_length: contextLength, parameters, state }
}
