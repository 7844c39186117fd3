import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import type { Trial } from './trial.ts'
import type { Result } from './worker.ts'

/** Trials in so many threads, a trial at a time in each; results in the order of the trials. */
export class Threads {
  readonly #workers: readonly Worker[]

  constructor(count: number) {
    this.#workers = Array.from({ length: count }, () => new Worker(new URL('worker.ts', import.meta.url)))
  }

  async run(trials: readonly Trial[]): Promise<readonly Result[]> {
    const results: Result[] = []
    let next = 0
    await Promise.all(
      this.#workers.map(async (worker) => {
        for (let at = next++; at < trials.length; at = next++) {
          worker.postMessage(trials[at])
          const [result] = (await once(worker, 'message')) as [Result]
          results[at] = result
        }
      }),
    )
    return results
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()))
  }
}
