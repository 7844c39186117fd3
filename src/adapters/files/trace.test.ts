import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { usualColumns } from '../../twin/workload/table.ts'
import { readTrace } from './trace.ts'

test('a trace is read from a file, gzipped or not, whatever its line ends', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wm-trace-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const text = 'timestamp_s,input_tokens,output_tokens\r\n0,100,5\r\n1.5,200,6'
  const trace = { kind: 'trace', file: '', format: 'csv', columns: usualColumns, speed: 1, requests: 9 } as const
  for (const bytes of [Buffer.from(text), gzipSync(text), Buffer.from(`${text.replaceAll('\r', '')}\n`)]) {
    const path = join(folder, 'trace')
    writeFileSync(path, bytes)
    assert.deepEqual(
      [...readTrace(path, trace)].map(({ at_ns, prompt, answer }) => [at_ns, prompt.tokens, answer]),
      [
        [0, 100, 5],
        [1.5e9, 200, 6],
      ],
    )
  }
  assert.throws(() => readTrace(join(folder, 'nowhere'), trace), { code: 'ENOENT' })
})
