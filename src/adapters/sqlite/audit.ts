import { Worker } from 'node:worker_threads'
import type { Check } from '../../books/check.ts'
import type { Home } from '../files/home.ts'
import { asThrown } from './thrown.ts'

/** What the last check of all the books found, and when. */
export interface Audited {
  readonly at_ms: number
  readonly took_ms: number
  readonly check: Check
}

/**
 * Checks all of the books in a thread of its own: it reads every row, which takes a minute for some million of them, and
 * meanwhile the operator answers its gateways. Who asks while one runs gets what that one finds.
 */
export class Audit {
  readonly #home: Home
  readonly #now: () => number
  #running: Promise<Check> | undefined
  #last: Audited | undefined

  constructor(home: Home, now: () => number) {
    this.#home = home
    this.#now = now
  }

  get last(): Audited | undefined {
    return this.#last
  }

  get running(): boolean {
    return this.#running !== undefined
  }

  check(): Promise<Check> {
    this.#running ??= this.#begin().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #begin(): Promise<Check> {
    const at_ms = this.#now()
    const check = await inThread(this.#home)
    this.#last = { at_ms, took_ms: this.#now() - at_ms, check }
    return check
  }
}

function inThread(home: Home): Promise<Check> {
  const worker = new Worker(workerFile(), { workerData: home })
  worker.unref() // an operator that is told to stop does not wait for it
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', (cause) => reject(asThrown(cause, home)))
    worker.once('exit', () => reject(new Error('the check of the books ended without a word')))
  })
}

/** Beside this file, whether it runs from the sources or built. */
const workerFile = (): URL =>
  new URL(import.meta.url.endsWith('.ts') ? 'audit-worker.ts' : 'audit-worker.js', import.meta.url)
