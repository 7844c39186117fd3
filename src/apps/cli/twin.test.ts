import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { scenarioFile, traceOf } from './scenario.ts'

const top = join(import.meta.dirname, '..', '..', '..')
const examples = join(top, 'examples', 'twin')

function run(...args: string[]): { code: number | null; out: string; err: string } {
  const script = join(top, 'bin', 'wattmill.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, 'twin', 'run', ...args], { encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}

test('a scenario is run without a factory: JSON alone on stdout, the same for the same seed', () => {
  const file = join(examples, 'fitted-rtx4090.yaml')
  const [one, again, other] = [run(file, '-o', 'json'), run(file, '-o', 'json'), run(file, '-o', 'json', '--seed', '9')]
  assert.equal(one.code, 0, one.err)
  const report = JSON.parse(one.out)
  assert.deepEqual([report.grade, report.requests, report.books.conserved], ['simulated', 300, true])
  assert.equal(one.out, again.out)
  assert.notEqual(one.out, other.out)
  assert.match(run(file).out, /every figure is simulated[\s\S]*conserved/)
})

test('every example can be read', () => {
  const files = readdirSync(examples).filter((file) => file.endsWith('.yaml'))
  assert(files.length >= 2)
  for (const file of files) assert(scenarioFile(join(examples, file)).pools.length > 0)
})

test('what is wrong in a scenario is told by line and column, and in a trace by its line', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wm-twin-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'scenario.yaml')
  const good = readFileSync(join(examples, 'chat-on-h100.yaml'), 'utf8')
  const written = (text: string) => {
    writeFileSync(file, text)
    return () => scenarioFile(file)
  }
  const line = good.split('\n').findIndex((text) => text.includes('h100-sxm')) + 1
  assert.throws(
    written(good.replace('h100-sxm', 'h100sxm')),
    new RegExp(`scenario.yaml:${line}:\\d+: pools\\[0\\].chip`),
  )
  assert.throws(written('name: x: y'), /scenario.yaml:1:\d+: /)
  assert.throws(written(''), /scenario.yaml:1:1: the scenario is no group/)
  assert.throws(() => scenarioFile(join(folder, 'none.yaml')), { code: 'not_found' })

  const scenario = written(
    'name: x\nworkload: { trace: t.jsonl, format: mooncake }\npools: [{ name: a, model: meta-llama/Llama-3.1-8B, chip: h100-sxm }]',
  )()
  assert.throws(() => traceOf(scenario, file), { code: 'not_found' })
  writeFileSync(join(folder, 't.jsonl'), '\n{}\n')
  assert.throws(() => [...traceOf(scenario, file)], /t\.jsonl: line 2: input_length/)
})
