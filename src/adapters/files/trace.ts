import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import type { Workload } from '../../twin/scenario.ts'
import { mooncakeTrace, type Traced } from '../../twin/workload/mooncake.ts'
import { csvTrace, jsonTrace } from '../../twin/workload/table.ts'

/** A trace of ten million requests is below this. */
const mostBytes = 2 ** 31 - 1

/** Requests of a trace in a file, plain or gzipped, in its own order. */
export function readTrace(path: string, { format, columns }: Workload & { readonly kind: 'trace' }): Iterable<Traced> {
  const lines = linesOf(contentOf(path))
  if (format === 'mooncake') return mooncakeTrace(lines)
  return format === 'json' ? jsonTrace(lines, columns) : csvTrace(lines, columns)
}

function contentOf(path: string): Buffer {
  const bytes = readFileSync(path)
  const isGzip = bytes[0] === 0x1f && bytes[1] === 0x8b
  return isGzip ? gunzipSync(bytes, { maxOutputLength: mostBytes }) : bytes
}

/** One line after the other: all of them at once would be as many strings. */
function* linesOf(bytes: Buffer): Generator<string> {
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(0x0a, from)
    const to = end < 0 ? bytes.length : end
    yield bytes.toString('utf8', from, bytes[to - 1] === 0x0d ? to - 1 : to)
    from = to + 1
  }
}
