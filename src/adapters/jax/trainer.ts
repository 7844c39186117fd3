/**
 * The embedded trainer: jax-js in a child process. A crash, an out-of-memory or 4 GiB of WebAssembly stay there, and the
 * child's CPU time is the job's CPU time.
 */
import { fork } from 'node:child_process'
import { extname, join } from 'node:path'
import type { TrainEvent, Trainer } from '../../lines/models/train.ts'

/** Whether the trainer's own package is installed: it is a development dependency, for most users never train. */
export function canTrain(): boolean {
  try {
    import.meta.resolve('@jax-js/jax')
    return true
  } catch {
    return false
  }
}

/** Trains in a child process of this Node. Each call starts one child, which ends with its job. */
export const jaxTrainer = (): Trainer => ({
  train(job, tell) {
    let settled = false
    const settle = (event: TrainEvent): void => {
      if (settled) return
      settled = event.kind === 'trained' || event.kind === 'failed'
      tell(event)
    }
    const child = fork(join(import.meta.dirname, `child${extname(import.meta.filename)}`), {
      serialization: 'advanced',
    })
    child.on('message', (event) => settle(event as TrainEvent)) // sent by our own child.ts, nobody else
    child.on('error', (error) => settle({ kind: 'failed', fault: 'crashed', message: error.message }))
    child.on('exit', (code, signal) =>
      settle({
        kind: 'failed',
        fault: 'crashed',
        message: `the training process ended with ${signal ?? `code ${code}`}`,
      }),
    )
    child.send(job)
    return {
      stop() {
        settle({ kind: 'failed', fault: 'stopped', message: 'stopped on request' })
        child.kill('SIGKILL') // it holds nothing but memory
      },
    }
  },
})
