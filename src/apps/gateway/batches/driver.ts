import { clock } from '../../../adapters/clock/clock.ts'
import { holdAlive } from '../../../adapters/files/alive.ts'
import type { Home } from '../../../adapters/files/home.ts'
import { listJournals } from '../../../adapters/sqlite/journal-reader.ts'
import { batchesIn, dropResults } from '../../../adapters/sqlite/journal-results.ts'
import type { Batch } from '../../../lines/inference/batch/batch.ts'
import { isOver } from '../../../lines/inference/batch/batch.ts'
import type { State } from '../state.ts'
import { BatchRun, faultName } from './run.ts'

/** How soon a batch that was handed in, or is to be cancelled, is looked at. */
const lookMs = 500
const sweepMs = 3_600_000
/** A batch that broke off, since the disk failed, goes on after this. */
const restMs = 5_000
/** Batches under way at once; those of one tenant leave some for the others. */
const [mostRuns, mostOfTenant] = [8, 4]

/**
 * Drives the batches of a home: of all its gateways the one that holds the lock. When it dies the kernel drops the lock, and
 * the next gateway that looks goes on where the files and the journal say that it was.
 */
export class BatchDriver {
  readonly #state: State
  readonly #home: Home
  readonly #runs = new Map<string, { readonly run: BatchRun; readonly over: Promise<void> }>()
  readonly #finished = new Set<string>()
  /** Batches that broke off, and until when they are left alone. */
  readonly #rests = new Map<string, number>()
  #lock: { release(): void } | undefined
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #sweptAt = 0
  #left = false

  constructor(state: State, home: Home) {
    this.#state = state
    this.#home = home
  }

  start(): void {
    const look = (): void => {
      this.#looking ??= this.#look()
        .catch((error: unknown) => this.#state.log.warn('batches', { message: faultName(error) }))
        .finally(() => {
          this.#looking = undefined
        })
    }
    this.#timer = setInterval(look, lookMs)
    look()
  }

  /** Asks nothing new; resolves when what is under way has ended, or was cut at the end of the patience. */
  async leave(patienceMs: number): Promise<void> {
    this.#left = true
    clearInterval(this.#timer)
    await this.#looking
    const runs = [...this.#runs.values()]
    for (const { run } of runs) run.stop('leaving')
    const cut = setTimeout(() => runs.forEach(({ run }) => void run.cut()), patienceMs)
    await Promise.all(runs.map(({ over }) => over))
    clearTimeout(cut)
  }

  /** After the journal is closed, and has forgotten what it was told to: another may drive now. */
  close(): void {
    this.#lock?.release()
    this.#lock = undefined
  }

  async #look(): Promise<void> {
    if (!this.#state.snapshot || this.#left) return
    if (!this.#lock) {
      this.#lock = holdAlive(this.#home.batchLock)
      if (!this.#lock) return
      await this.#tidy()
    }
    for (const { run } of this.#runs.values())
      if ((await this.#state.batches.cancelledAt(run.batch)) !== undefined) run.stop('cancelled')
    for (const key of await this.#state.batches.keys()) await this.#consider(key)
    await this.#sweep()
  }

  async #consider(key: string): Promise<void> {
    if (this.#finished.has(key) || this.#runs.has(key) || this.#runs.size >= mostRuns) return
    if ((this.#rests.get(key) ?? 0) > clock.ms()) return
    const batch = await this.#state.batches.read(key)
    if (!batch) return // being made
    if (isOver(batch.state)) return void this.#finished.add(key)
    const ofTenant = [...this.#runs.values()].filter(({ run }) => run.batch.tenant === batch.tenant).length
    if (ofTenant < mostOfTenant) this.#begin(key, batch)
  }

  #begin(key: string, batch: Batch): void {
    const state = this.#state
    const run = new BatchRun(batch, {
      state,
      journals: this.#home.journals,
      share: () => Math.max(1, Math.floor(state.settings.batches.requests / this.#runs.size)),
    })
    const over = run
      .run()
      .catch((error: unknown) => {
        state.log.warn('batch broke off', { id: batch.id, message: faultName(error) })
        this.#rests.set(key, clock.ms() + restMs)
      })
      .finally(() => this.#runs.delete(key))
    this.#runs.set(key, { run, over })
  }

  /** Results of batches that are over, or gone, wait for nobody: a gateway died after they were in the files. */
  async #tidy(): Promise<void> {
    const { journals } = this.#home
    for (const incarnation of listJournals(journals)) {
      if (incarnation === this.#state.incarnation) continue
      for (const key of batchesIn(journals, incarnation)) {
        const batch = await this.#state.batches.read(key)
        if (!batch || isOver(batch.state)) dropResults(journals, incarnation, key)
      }
    }
  }

  async #sweep(): Promise<void> {
    const now = clock.ms()
    if (now - this.#sweptAt < sweepMs) return
    this.#sweptAt = now
    await this.#state.files.sweep(now)
    await this.#state.batches.sweep(now - this.#state.settings.batches.keepMs, now)
    this.#finished.clear() // those that are gone need no place; the others are read once more
    this.#rests.clear()
  }
}
