import type { Command } from 'commander'
import { TwinRun } from '../../../twin/run.ts'
import { told } from '../../operator/yaml-file.ts'
import { type Common, guarded, show } from '../run.ts'
import { runnable, scenarioFile, traceOf } from '../scenario.ts'
import { talk } from '../talk.ts'
import { twinView } from '../twin-view.ts'
import { whole } from '../values.ts'

export function twinCommands(program: Command): void {
  const twin = program
    .command('twin')
    .description('the factory on simulated time: the same code, other hardware, prices, loads')
  const run = twin
    .command('run')
    .description('run a scenario and report latency, goodput, energy, money and whether the books add up')
    .argument('<scenario>', 'a YAML file; examples/twin/ has some')
    .option('--seed <n>', 'another seed than the scenario says', whole)
  run.action((file: string) =>
    guarded(async () => runScenario(file, run.optsWithGlobals<Common & { seed?: number }>())),
  )
}

async function runScenario(file: string, options: Common & { seed?: number }): Promise<undefined> {
  const read = scenarioFile(file)
  const scenario = options.seed === undefined ? read : { ...read, seed: options.seed }
  const traced = traceOf(scenario, file)
  const report = told(file, runnable, () => new TwinRun(scenario, traced, { onLook: progress(2000) }).run())
  show(report, options, twinView)
}

/** A line now and then, for runs that take long. */
function progress(every_ms: number): (far: { readonly simulated_s: number; readonly asked: number }) => void {
  let last = performance.now()
  return ({ simulated_s, asked }) => {
    if (performance.now() - last < every_ms) return
    last = performance.now()
    talk(`${Math.round(simulated_s)} s simulated, ${asked} requests`)
  }
}
