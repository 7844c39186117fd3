import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { LineCounter, parseDocument } from 'yaml'
import { readTrace } from '../../adapters/files/trace.ts'
import { type Scenario, ScenarioError } from '../../twin/scenario.ts'
import { readScenario } from '../../twin/scenario-read.ts'
import { WorkloadError } from '../../twin/workload/lines.ts'
import type { Traced } from '../../twin/workload/mooncake.ts'
import { ControlError } from '../operator/errors.ts'

/** A scenario in a YAML file; what is wrong in it is told with its line and column. */
export function scenarioFile(file: string): Scenario {
  const lines = new LineCounter()
  const document = parseDocument(contentOf(file), { lineCounter: lines, prettyErrors: false })
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const [broken] = document.errors
  if (broken) throw bad(`${at(broken.pos[0])}: ${broken.message}`, file)
  return told(
    file,
    () => readScenario(document.toJS()),
    ({ path }) => at(offsetOf(document, path)),
  )
}

/** The trace that a scenario names, from beside its file. */
export function traceOf({ workload }: Scenario, file: string): Iterable<Traced> {
  if (workload.kind !== 'trace') return []
  const path = resolve(dirname(file), workload.file)
  return namedLines(
    path,
    told(path, () => readTrace(path, workload)),
  )
}

/** A trace is read while the run goes on: what is wrong in it then is still told by its own name. */
function* namedLines(path: string, traced: Iterable<Traced>): Generator<Traced> {
  const rest = traced[Symbol.iterator]()
  for (let next = told(path, () => rest.next()); !next.done; next = told(path, () => rest.next())) yield next.value
}

/** Does it, and says in which file what was wrong. */
export function told<Result>(file: string, work: () => Result, where?: (error: ScenarioError) => string): Result {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof ScenarioError) throw bad(`${where?.(cause) ?? file}: ${cause.message}`, file, cause)
    if (cause instanceof WorkloadError) throw bad(`${file}: ${cause.message}`, file, cause)
    const { code } = cause as { code?: string }
    if (code === 'ENOENT' || code === 'EISDIR')
      throw new ControlError('not_found', `${file} is no file that can be read (${code})`, { cause, next: 'ls' })
    if (code === 'Z_DATA_ERROR' || code === 'Z_BUF_ERROR' || code === 'ERR_BUFFER_TOO_LARGE')
      throw bad(`${file} cannot be unpacked (${code})`, file, cause)
    throw cause
  }
}

const contentOf = (file: string): string => told(file, () => readFileSync(file, 'utf8'))

const bad = (message: string, file: string, cause?: unknown): ControlError =>
  new ControlError('bad_config', message, { cause, next: `correct ${file}; examples/twin/ has scenarios that run` })

/** Where the nearest thing that is there begins. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: readonly (string | number)[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true)
    const range = (node as { range?: readonly number[] } | undefined)?.range
    if (range?.[0] !== undefined) return range[0]
  }
  return 0
}
