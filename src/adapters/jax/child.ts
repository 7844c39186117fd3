/** The child process of the trainer: one job in, events out, then it ends. */
import type { TrainEvent, TrainJob } from '../../lines/models/train.ts'
import { run } from './run.ts'

const tell = (event: TrainEvent): void => {
  process.send?.(event)
}

process.on('SIGINT', () => {}) // a Ctrl-C reaches the whole group; the parent decides and kills
process.on('disconnect', () => process.exit(1)) // nobody is left to tell

process.once('message', (job) => {
  run(job as TrainJob, tell) // sent by our own trainer.ts, nobody else
    .catch((error: unknown) => tell({ kind: 'failed', fault: 'crashed', message: String(error) }))
    .finally(() => process.disconnect())
})
