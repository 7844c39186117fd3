/**
 * Kept responses, of one gateway's view: the file is that of all gateways of a home, so what one keeps another finds.
 * Nothing is opened before somebody asks for it. While the thread works, what comes waits and goes together.
 */
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import type { Keeping, Looked, Looking, Removing, ResponseDone, ResponseWork } from './work.ts'

export interface ResponseStore {
  /** False: it is not kept, and will not be. */
  put(response: Omit<Keeping, 'do' | 'most'>, told: (kept: boolean) => void): void
  /** Undefined: the store cannot be read now. */
  read(wanted: Omit<Looking, 'do' | 'oldest_ms'>, told: (looked: Looked | undefined) => void): void
  remove(what: Omit<Removing, 'do' | 'oldest_ms'>, told: (removed: boolean | undefined) => void): void
  close(): Promise<void>
}

export interface ResponseStoreOptions {
  readonly path: string
  /** How long a response is kept; 0: none is. */
  readonly retentionMs: number
  readonly bytesPerTenant: number
  readonly now_ms: () => number
  readonly warn: (message: string) => void
}

/** What waits for the thread: beyond either, the answer is no at once. */
const [mostWaiting, mostWaitingBytes] = [4096, 64 * 1024 * 1024]
/** A thread that died is not started again at once. */
const restartMs = 1_000
/** What is too old is unseen at once, and off the disk within this. */
const purgeMs = 15 * 60_000

interface Waiting {
  readonly work: ResponseWork
  readonly told: (done: ResponseDone) => void
}

const failed = (why: string): ResponseDone => ({ done: 'failed', why })

export function openResponseStore(options: ResponseStoreOptions): ResponseStore {
  const thread = new Thread(options)
  const oldest = (): number => options.now_ms() - options.retentionMs
  const purge = (): void => {
    if (existsSync(options.path)) thread.do({ do: 'purge', oldest_ms: oldest() }, () => undefined)
  }
  const purging = setInterval(purge, purgeMs).unref()
  purge()
  return {
    put(response, told) {
      if (options.retentionMs === 0) return queueMicrotask(() => told(false))
      thread.do({ ...response, do: 'put', most: options.bytesPerTenant }, (done) =>
        told(done.done === 'put' && done.kept),
      )
    },
    read: (wanted, told) =>
      thread.do({ ...wanted, do: 'read', oldest_ms: oldest() }, (done) =>
        told(done.done === 'read' ? done.looked : undefined),
      ),
    remove: (what, told) =>
      thread.do({ ...what, do: 'remove', oldest_ms: oldest() }, (done) =>
        told(done.done === 'remove' ? done.removed : undefined),
      ),
    close() {
      clearInterval(purging)
      return thread.close()
    },
  }
}

class Thread {
  readonly #options: Pick<ResponseStoreOptions, 'path' | 'warn' | 'now_ms'>
  #worker: Worker | undefined
  #lost_ms = Number.NEGATIVE_INFINITY
  #queue: Waiting[] = []
  #queued = 0
  #underWay: readonly Waiting[] = []
  #closing: (() => void) | undefined

  constructor(options: Pick<ResponseStoreOptions, 'path' | 'warn' | 'now_ms'>) {
    this.#options = options
  }

  do(work: ResponseWork, told: (done: ResponseDone) => void): void {
    const bytes = work.do === 'put' ? work.body.length : 0
    const full = this.#queue.length >= mostWaiting || this.#queued + bytes > mostWaitingBytes
    if (full || this.#closing) return queueMicrotask(() => told(failed('too much waits for the disk')))
    this.#queue.push({ work, told })
    this.#queued += bytes
    this.#turn()
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#closing = resolve
      this.#turn()
    })
  }

  #turn(): void {
    if (this.#underWay.length > 0) return
    if (this.#queue.length === 0) return this.#closing ? this.#end() : undefined
    const worker = this.#started()
    this.#underWay = this.#queue
    this.#queue = []
    this.#queued = 0
    if (!worker) return queueMicrotask(() => this.#told([]))
    worker.ref() // only work under way keeps a process alive
    worker.postMessage(this.#underWay.map(({ work }) => work))
  }

  #started(): Worker | undefined {
    const { path, now_ms } = this.#options
    if (this.#worker || now_ms() < this.#lost_ms + restartMs) return this.#worker
    const worker = new Worker(workerFile(), { workerData: { path } })
    worker.on('message', (done: ResponseDone[]) => this.#told(done))
    worker.on('error', (error) => this.#lose(worker, error.message))
    worker.on('exit', () => this.#lose(worker, 'it ended'))
    this.#worker = worker
    return worker
  }

  /** What was not answered has failed. */
  #told(done: readonly ResponseDone[]): void {
    const heard = this.#underWay
    this.#underWay = []
    this.#worker?.unref()
    const [first] = done
    if (first?.done === 'failed') this.#options.warn(first.why)
    for (const [at, { told }] of heard.entries()) told(done[at] ?? failed('its thread is lost'))
    this.#turn()
  }

  #lose(worker: Worker, why: string): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#lost_ms = this.#options.now_ms()
    if (this.#closing && this.#underWay.length === 0) return
    this.#options.warn(`the thread is lost: ${why}`)
    if (this.#underWay.length > 0) this.#told([])
  }

  #end(): void {
    const worker = this.#worker
    const closed = this.#closing
    if (!closed) return
    if (!worker) return closed()
    worker.ref()
    worker.once('exit', () => closed())
    worker.postMessage([])
  }
}

/** Beside this file, whether it runs from the sources or built. */
const workerFile = (): URL => new URL(import.meta.url.endsWith('.ts') ? 'worker.ts' : 'worker.js', import.meta.url)
