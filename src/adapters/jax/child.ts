/** The child process of the trainer: one job in, events out, then it ends. */
import type { TrainEvent, TrainJob } from '../../lines/models/train.ts'
import { run } from './run.ts'

/** Resolves once the event is written. */
const tell = (event: TrainEvent): Promise<void> =>
  new Promise((resolve) => {
    process.send?.(event, undefined, undefined, () => resolve())
  })
const abandoned = (): never => process.exit(1) // nobody is left to tell

process.on('SIGINT', () => {}) // a Ctrl-C reaches the whole group; the parent decides and kills
process.on('disconnect', abandoned)

process.once('message', (job) => {
  run(job as TrainJob, tell) // sent by our own trainer.ts, nobody else
    .catch((error: unknown) => tell({ kind: 'failed', fault: 'crashed', message: String(error) }))
    .finally(() => {
      // No disconnect here: it would overtake the weights, which are still being written. The process ends when they are.
      process.off('disconnect', abandoned)
      process.channel?.unref()
    })
})
