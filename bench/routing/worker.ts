import { parentPort } from 'node:worker_threads'
import { type Figure, figureNames, figures, run, type Trial } from './trial.ts'

/** What a trial came to, in figures that cross threads. */
export interface Result {
  readonly requests: number
  readonly simulated_s: number
  readonly figures: Readonly<Record<Figure, number>>
}

parentPort?.on('message', (trial: Trial) => {
  const report = run(trial)
  const result: Result = {
    requests: report.requests,
    simulated_s: report.simulated_s,
    figures: Object.fromEntries(figureNames.map((name) => [name, figures[name].of(report)])) as Result['figures'],
  }
  parentPort?.postMessage(result)
})
