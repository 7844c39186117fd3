import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { before, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fakeHub, sha256 } from '../../adapters/hub/testing-hub.ts'
import { writeTinyModel } from '../../adapters/llama/testing.ts'
import { operatorSettings } from '../operator/settings.ts'
import { startOperator } from '../operator/start.ts'
import { temporary } from '../operator/testing.ts'

const script = join(import.meta.dirname, '..', '..', '..', 'bin', 'wattmill.mjs')
let home = ''
let content = Buffer.alloc(0)
before(async () => {
  home = join(temporary(), 'home')
  const operator = await startOperator(home, operatorSettings(undefined), () => undefined)
  await operator.stop()
  content = readFileSync(writeTinyModel(join(temporary(), 'tiny.gguf')))
})

function wattmill(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const child = spawn(process.execPath, [script, ...args], {
    env: { ...process.env, WATTMILL_HOME: home, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)])
  return { child, ended: ended.then(([[code], out, err]) => ({ code: code as number | null, out, err })) }
}

/** A hub with one repository, whose file is the tiny model. */
async function hub(t: TestContext) {
  const made = await fakeHub(t, content, (request, response) => {
    if (request.url?.startsWith('/api/models/'))
      response.end(JSON.stringify({ siblings: [{ rfilename: 'tiny.gguf' }], cardData: { license: 'apache-2.0' } }))
    return request.url?.startsWith('/api/models/') ?? false
  })
  return { ...made, env: { HF_ENDPOINT: made.base } }
}

const models = (): string[] => (existsSync(join(home, 'models')) ? readdirSync(join(home, 'models')).sort() : [])

test('licence and size first, and nothing without a yes; then downloaded, verified, served', async (t) => {
  const { env } = await hub(t)
  const asked = await wattmill(['models', 'pull', 'hf:org/repo'], env).ended
  assert.equal(asked.code, 2)
  assert.match(asked.err, /licence +apache-2.0 \(said by the hub\)/)
  assert.match(asked.err, /size +\d+ KiB|size +\d\.\d+ MiB/)
  assert.match(asked.err, /Next: Add --yes/)
  assert.deepEqual(models(), [])

  const wrong = await wattmill(['models', 'pull', 'hf:org/repo', '--yes', '--sha256', 'f'.repeat(64)], env).ended
  assert.deepEqual([wrong.code, models()], [4, ['pull.lock']])
  assert.match(wrong.err, /thrown away/)

  const hash = sha256(content)
  const done = await wattmill(['models', 'pull', 'hf:org/repo', '--yes', '--sha256', hash, '-o', 'json'], env).ended
  assert.equal(done.code, 0, done.err)
  assert.equal(JSON.parse(done.out).sha256, hash)
  assert.match(done.err, /downloading: .*\(100 %\)/)
  assert.match(done.err, /sha256 verified/)
  assert(!done.err.includes('\r'), 'no bar where nobody looks')
  const { out } = await wattmill(['models', 'show', 'tiny', '-o', 'json']).ended
  assert.equal(JSON.parse(out).file.path, join(home, 'models', 'tiny.gguf'))

  const again = await wattmill(['models', 'pull', 'hf:org/repo', '--yes'], env).ended
  assert.equal(again.code, 4)
  assert.match(again.err, /there is a model tiny already/)
  const second = ['models', 'pull', 'hf:org/repo', '--yes', '--name', 'second', '--sha256', hash]
  const known = await wattmill(second, env).ended
  assert.equal(known.code, 0, known.err)
  assert.match(known.err, /is here already/)
})

test('Ctrl-C leaves a part and nothing registered; the same command goes on', {
  skip: process.platform === 'win32',
}, async (t) => {
  const { base, manners, asked } = await hub(t)
  manners.pace = 20
  const source = `${base}/cut.gguf`
  const path = join(home, 'models', 'cut.gguf')
  const { child, ended } = wattmill(['models', 'pull', source, '--yes'])
  for (let turn = 0; !((statSync(`${path}.part`, { throwIfNoEntry: false })?.size ?? 0) > 50_000); turn++) {
    assert(turn < 1000, 'a part appears')
    await sleep(20)
  }
  child.kill('SIGINT')
  const stopped = await ended
  assert.equal(stopped.code, 130)
  assert.match(stopped.err, /The same command goes on from here/)
  const have = statSync(`${path}.part`).size
  assert(have < content.length && !existsSync(path))
  assert.equal((await wattmill(['models', 'show', 'cut']).ended).code, 3)

  manners.pace = 0
  const done = await wattmill(['models', 'pull', source, '--yes']).ended
  assert.equal(done.code, 0, done.err)
  assert.equal(asked.at(-1)?.headers.range, `bytes=${have}-`)
  assert.equal(sha256(readFileSync(path)), sha256(content))
  assert.match(done.err, /sha256, which nobody confirms/)
})

test('what cannot be fetched says so and leaves nothing', async (t) => {
  const { base, env } = await hub(t)
  const before = models()
  const cases = [
    [['models', 'pull', 'org/repo'], 2, /neither https/],
    [['models', 'pull', 'hf:org/repo:q9'], 2, /"q9" is not one file of org\/repo: tiny.gguf/],
    [['models', 'pull', 'http://127.0.0.1:1/x.gguf'], 4, /127.0.0.1:1/],
    [['models', 'pull', 'http://example.com.invalid/x.gguf'], 4, /example.com.invalid/],
    [['models', 'pull', `${base}/x.gguf`, '--sha256', 'abc'], 2, /64 hexadecimal digits/],
    [['models', 'pull', `${base}/x.gguf`, '--name', 'starter'], 4, /a model starter already/],
  ] as const
  for (const [args, code, words] of cases) {
    const result = await wattmill([...args, '--yes'], env).ended
    assert.equal(result.code, code, result.err)
    assert.match(result.err, words)
    assert.match(result.err, /Next: /)
  }
  assert.deepEqual(models(), before)
})
