import { linesOf } from '../../../adapters/files/lines.ts'
import { readBatchLine } from '../../../adapters/openai/batch-line.ts'
import type { BatchEndpoint, LineFault } from '../../../lines/inference/batch/batch.ts'

/** Enough to see what is wrong; a file that is wrong throughout is wrong in one way. */
const mostFaults = 50

export interface ValidateBounds {
  readonly lines: number
  readonly lineBytes: number
  /** Nobody wants to know any more. */
  stopped(): boolean
}

/** Reads the whole input once before anything is asked: a batch begins whole or not at all. */
export async function validated(
  path: string,
  endpoint: BatchEndpoint,
  bounds: ValidateBounds,
): Promise<{ readonly lines: number; readonly faults: readonly LineFault[] }> {
  const faults: LineFault[] = []
  const ids = new Set<string>()
  const fault = (code: string, message: string, line: number | null = null, param: string | null = null): void =>
    void faults.push({ code, message, line, param })
  let lines = 0
  for await (const { number, bytes } of linesOf(path, bounds.lineBytes)) {
    if (bounds.stopped() || faults.length >= mostFaults) break
    if (++lines > bounds.lines) {
      fault('too_many_lines', `the file has more than ${bounds.lines} requests`, number)
      break
    }
    const read = readBatchLine(bytes, number, endpoint)
    if (!read.ok) faults.push(read.fault)
    else if (ids.has(read.line.custom_id))
      fault('duplicate_custom_id', 'another line has this "custom_id" already', number, 'custom_id')
    else ids.add(read.line.custom_id)
  }
  if (lines === 0) fault('empty_file', 'the file has no requests')
  return { lines, faults }
}
