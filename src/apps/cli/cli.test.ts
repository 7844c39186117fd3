import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { promisify } from 'node:util'
import { parse } from 'yaml'
import { goodHabits, habitualEngine } from '../../adapters/openai/survey/testing.ts'
import { operatorSettings } from '../operator/settings.ts'
import { startOperator } from '../operator/start.ts'
import { fakeUpstream, temporary } from '../operator/testing.ts'
import { exitCodes } from './exit.ts'
import { program } from './program.ts'

const script = join(import.meta.dirname, '..', '..', '..', 'bin', 'wattmill.mjs')
const home = join(temporary(), 'home')

/** A factory that was started once and stands still. */
before(async () => {
  const operator = await startOperator(home, operatorSettings(undefined), () => undefined)
  await operator.stop()
})

function wattmill(...args: string[]): { code: number | null; out: string; err: string } {
  const env = { ...process.env, WATTMILL_HOME: home, NO_COLOR: '1' }
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8', env })
  return { code: status, out: stdout, err: stderr }
}

test('a stopped factory: keys are made, and stdout holds JSON alone', () => {
  const made = wattmill(
    'keys',
    'create',
    '--tenant',
    'acme',
    '--app',
    'chat',
    '--rpm',
    '10',
    '--expires',
    '30d',
    '-o',
    'json',
  )
  assert.equal(made.code, 0, made.err)
  const key = JSON.parse(made.out)
  assert.match(key.key, /^wm-[A-Za-z0-9]{43}$/)
  assert.deepEqual([key.tenant, key.app, key.rpm, key.models], ['acme', 'chat', 10, null])
  assert.match(made.err, /made tenant acme/)
  const listed = wattmill('keys', 'list', '-o', 'yaml')
  assert.equal(parse(listed.out).keys[0].id, key.id)
  assert(!listed.out.includes(key.key))
  assert.match(wattmill('keys', 'revoke', key.id).out, /state +revoked/)
})

test('a stopped factory: the books are checked', () => {
  const checked = wattmill('books', 'check', '-o', 'json')
  assert.equal(checked.code, 0, checked.err)
  const { conserved, lost, doubled, requests, units } = JSON.parse(checked.out)
  assert.deepEqual([conserved, lost, doubled, requests], [true, 0, 0, 0])
  assert.equal(units['nano-USD'].residual, '0')
})

test('an engine is added by its URL', async () => {
  const url = await fakeUpstream(['qwen'])
  // Not `wattmill` above: this process answers the probe, so it must not be blocked meanwhile.
  const args = ['engines', 'add', 'gpu', '--url', url, '--model', 'q=qwen', '--home', home, '-o', 'json']
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [script, ...args])
  assert.deepEqual(JSON.parse(stdout).models, { q: 'qwen' })
  assert.match(stderr, /q has no price/)
  assert.equal(wattmill('engines', 'remove', 'gpu').code, 0)
})

test('an engine is probed: the cost is said before, and what was seen stands beside the preset', async () => {
  using engine = await habitualEngine({ ...goodHabits, limits: ['max_tokens'], ignores: ['logprobs'] })
  const run = async (...args: string[]) => promisify(execFile)(process.execPath, [script, ...args, '--home', home])
  await run('engines', 'add', 'local', '--preset', 'ollama', '--url', engine.url.href)
  const { stdout, stderr } = await run('engines', 'probe', 'local')
  assert.match(stderr, /at most \d+ requests, \d+ tokens in, \d+ out/)
  assert.match(stdout, /^CHECK +SAW +PRESET +DIFFERS +DETAIL$/m)
  assert.match(stdout, /^max_completion_tokens +ignored +ignored +the answer/m)
  assert.match(stdout, /^logprobs +ignored +yes +DIFFERS/m)
  assert.match(stdout, /Differs from preset ollama: logprobs: ignored, not yes\./)
  const asked = engine.counted.requests
  assert.doesNotMatch((await run('engines', 'probe', 'local', '--free')).stdout, /CHECK/)
  assert.equal(engine.counted.requests, asked)
  assert.equal(wattmill('engines', 'remove', 'local').code, 0)
})

const mistakes: readonly (readonly [args: readonly string[], code: number, says: RegExp])[] = [
  [['key', 'list'], exitCodes.usage.code, /did you mean keys\?/],
  [
    ['keys', 'list', '--tennant', 'x'],
    exitCodes.usage.code,
    /did you mean --tenant\?\nNext: wattmill keys list --help/,
  ],
  [['keys', 'create'], exitCodes.usage.code, /'--tenant <name>' not specified/],
  [['keys', 'create', '--tenant', 'a', '--rpm', 'x'], exitCodes.usage.code, /Give a whole number/],
  [['keys', 'list', '-o', 'jsn'], exitCodes.usage.code, /did you mean json\?/],
  [['keys', 'revoke', 'key_none'], exitCodes.not_found.code, /no key key_none\nNext: wattmill keys list/],
  [['engines', 'remove', 'embedded'], exitCodes.refused.code, /stays/],
  [['engines', 'add', 'x'], exitCodes.usage.code, /the URL is missing\nNext: Give its base with --url/],
  [['engines', 'add', 'x', '--preset', 'groq'], exitCodes.usage.code, /wants a key\nNext: .*--key-env GROQ_API_KEY/],
  [['engines', 'presets', 'grok'], exitCodes.not_found.code, /did you mean groq\?/],
  [['engines', 'probe', 'nobody'], exitCodes.not_found.code, /no engine nobody\nNext: wattmill engines list/],
  [['models', 'add', 'package.json'], exitCodes.refused.code, /no GGUF model|no file/],
  [['status'], exitCodes.unreachable.code, /stopped/],
  [['status', '--home', '/nowhere/at/all'], exitCodes.not_found.code, /no factory[^\n]*\nNext: wattmill up --home/],
  [['top'], exitCodes.unreachable.code, /stopped/],
  [['explain', 'nothing'], exitCodes.not_found.code, /no request, transfer or interval/],
  [['completion', 'bsh'], exitCodes.usage.code, /did you mean bash\?/],
  [['config', 'explain', 'limits.queue_second'], exitCodes.not_found.code, /did you mean limits\./],
  [['config', 'validate', '/nowhere.yaml'], exitCodes.usage.code, /cannot be read/],
  [['up', '--config', '/nowhere.yaml'], exitCodes.usage.code, /cannot be read/],
  [['up', '--port', '70000'], exitCodes.usage.code, /port is from 0 to 65535/],
]
for (const [args, code, says] of mistakes)
  test(`wattmill ${args.join(' ')}: exit ${code}, with the next command`, () => {
    const result = wattmill(...args)
    assert.match(result.err, says)
    assert.equal(result.code, code)
    assert.match(result.err, /Next: /)
  })

test('a slip in --home makes no second factory', () => {
  const typo = join(temporary(), 'typo')
  assert.equal(wattmill('keys', 'create', '--tenant', 'a', '--home', typo).code, exitCodes.not_found.code)
  assert(!existsSync(typo))
})

test('doctor works without a factory, and every command has a description', () => {
  const found = wattmill('doctor', '--home', join(temporary(), 'none'), '-o', 'json')
  assert.equal(found.code, 0, found.err)
  const { machine, findings } = JSON.parse(found.out)
  assert(machine.cpu.usable >= 1)
  const names = findings.map((finding: { check: string }) => finding.check)
  for (const check of ['system', 'versions', 'memory', 'energy-meter', 'factory', 'config', 'port'])
    assert(names.includes(check), check)
  const commands = program().commands.flatMap((command) => [command, ...command.commands])
  assert(commands.length > 25, 'a check that saw nothing proves nothing')
  for (const command of commands) assert(command.description().length > 0, command.name())
})

test('a config with a mistake is told by line and column', () => {
  const file = join(temporary(), 'w.yaml')
  writeFileSync(file, 'limits:\n  body_byts: 5\n')
  const result = wattmill('up', '--config', file)
  assert.match(result.err, /w\.yaml:2:3: unknown setting limits\.body_byts; did you mean body_bytes\?/)
  assert.equal(result.code, exitCodes.usage.code)
})

test('config validate tells every mistake, config explain what is in force and why', () => {
  const file = join(temporary(), 'w.yaml')
  writeFileSync(file, 'prot: 1\nlimits:\n  queue_seconds: 5\n  body_byts: 5\n')
  const wrong = wattmill('config', 'validate', file, '-o', 'json')
  assert.equal(wrong.code, exitCodes.usage.code)
  assert.deepEqual(
    JSON.parse(wrong.out).problems.map((problem: { line: number; column: number }) => [problem.line, problem.column]),
    [
      [1, 1],
      [4, 3],
    ],
  )
  writeFileSync(file, 'limits:\n  queue_seconds: 5\n')
  assert.equal(wattmill('config', 'validate', file).code, 0)
  const { settings } = JSON.parse(
    wattmill('config', 'explain', 'limits.queue_seconds', '--config', file, '-o', 'json').out,
  )
  assert.deepEqual([settings.length, settings[0].value, settings[0].from, settings[0].usual], [1, 5, file, 30])
  assert.equal(JSON.parse(wattmill('config', 'schema').out).title, 'wattmill.yaml')
})
