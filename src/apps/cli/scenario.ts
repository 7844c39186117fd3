import { dirname, resolve } from 'node:path'
import { readTrace } from '../../adapters/files/trace.ts'
import type { Scenario } from '../../twin/scenario.ts'
import { readScenario } from '../../twin/scenario-read.ts'
import type { Traced } from '../../twin/workload/mooncake.ts'
import { told, yamlFile } from '../operator/yaml-file.ts'

/** Said after what is wrong in a scenario or its trace. */
export const runnable = 'examples/twin/ has scenarios that run'

/** A scenario in a YAML file; what is wrong in it is told with its line and column. */
export const scenarioFile = (file: string): Scenario => yamlFile(file, readScenario, runnable)

/** The trace that a scenario names, from beside its file. */
export function traceOf({ workload }: Scenario, file: string): Iterable<Traced> {
  if (workload.kind !== 'trace') return []
  const path = resolve(dirname(file), workload.file)
  return namedLines(
    path,
    told(path, runnable, () => readTrace(path, workload)),
  )
}

/** A trace is read while the run goes on: what is wrong in it then is still told by its own name. */
function* namedLines(path: string, traced: Iterable<Traced>): Generator<Traced> {
  const rest = traced[Symbol.iterator]()
  for (let next = told(path, runnable, () => rest.next()); !next.done; next = told(path, runnable, () => rest.next()))
    yield next.value
}
