import { readFileSync } from 'node:fs'
import { LineCounter, parseDocument } from 'yaml'
import { WorkloadError } from '../../twin/workload/lines.ts'
import { FieldError } from '../../units/field.ts'
import { ControlError } from './errors.ts'

/** What a YAML file says, as `read` takes it; what is wrong in it is told with its line and column, and where there are good ones. */
export function yamlFile<Result>(file: string, read: (value: unknown) => Result, examples: string): Result {
  const lines = new LineCounter()
  const text = told(file, examples, () => readFileSync(file, 'utf8'))
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: true })
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  const [broken] = document.errors
  if (broken) throw bad(`${at(broken.pos[0])}: ${broken.message}`, file, examples)
  return told(
    file,
    examples,
    () => read(document.toJS()),
    ({ path }) => at(offsetOf(document, path)),
  )
}

/** Does it, and says in which file what was wrong. */
export function told<Result>(
  file: string,
  examples: string,
  work: () => Result,
  where?: (error: FieldError) => string,
): Result {
  try {
    return work()
  } catch (cause) {
    if (cause instanceof FieldError) throw bad(`${where?.(cause) ?? file}: ${cause.message}`, file, examples, cause)
    if (cause instanceof WorkloadError) throw bad(`${file}: ${cause.message}`, file, examples, cause)
    const { code } = cause as { code?: string }
    if (code === 'ENOENT' || code === 'EISDIR')
      throw new ControlError('not_found', `${file} is no file that can be read (${code})`, { cause, next: 'ls' })
    if (code === 'Z_DATA_ERROR' || code === 'Z_BUF_ERROR' || code === 'ERR_BUFFER_TOO_LARGE')
      throw bad(`${file} cannot be unpacked (${code})`, file, examples, cause)
    throw cause
  }
}

const bad = (message: string, file: string, examples: string, cause?: unknown): ControlError =>
  new ControlError('bad_config', message, { cause, next: `correct ${file}; ${examples}` })

/** Where the nearest thing that is there begins. */
function offsetOf(document: ReturnType<typeof parseDocument>, path: readonly (string | number)[]): number {
  for (let length = path.length; length >= 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true)
    const range = (node as { range?: readonly number[] } | undefined)?.range
    if (range?.[0] !== undefined) return range[0]
  }
  return 0
}
