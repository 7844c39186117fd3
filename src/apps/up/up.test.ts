import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { temporary } from '../operator/testing.ts'

const script = join(import.meta.dirname, '..', '..', '..', 'bin', 'wattmill.mjs')
const starter = join(import.meta.dirname, '..', '..', '..', 'models', 'starter', 'starter.gguf')
const home = join(temporary(), 'home')

let factory: ChildProcess
let url = ''
let said = ''
let complained = ''

before(async () => {
  const started = start()
  factory = started.child
  said = await started.said
  url = /console +(http:\S+)\//.exec(said)?.[1] ?? ''
  await until(async () => (await fetch(`${url}/readyz`)).status === 200)
})
after(async () => {
  if (factory.exitCode !== null) return
  factory.kill('SIGKILL')
  await once(factory, 'exit')
})

function start(): { child: ChildProcess; said: Promise<string> } {
  const child = spawn(process.execPath, [script, 'up', '--port', '0', '--home', home], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  child.stderr?.on('data', (text) => {
    complained += text
  })
  const said = new Promise<string>((resolve, reject) => {
    let text = ''
    child.stdout?.on('data', (part) => {
      text += part
      if (/Try it|No model yet/.test(text)) resolve(text)
    })
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${complained}`)))
  })
  return { child, said }
}

const wattmill = (...args: string[]) =>
  spawnSync(process.execPath, [script, ...args, '--home', home, '-o', 'json'], { encoding: 'utf8' })

/** A bounded wait for what must come about by itself. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 20_000; ; ) {
    if (await holds().catch(() => false)) return
    assert(Date.now() < end, `it did not come about\n${complained}`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

const pids = (): number[] =>
  JSON.parse(wattmill('status').stdout).gateways.map((gateway: { pid: number }) => gateway.pid)

test('one command: a console, an API, an admin key of its own', async () => {
  assert.match(said, /API base +http:\/\/127\.0\.0\.1:\d+\/v1/)
  if (process.platform !== 'win32') assert.equal(statSync(join(home, 'admin.key')).mode & 0o777, 0o600)
  assert.match(await (await fetch(url)).text(), /Wattmill/)
  assert.equal((await fetch(`${url}/api/status`)).status, 401)
})

test('the printed line works: an answer, and a receipt in the books', { skip: !existsSync(starter) }, async () => {
  const key = /Bearer (wm-\w+)/.exec(said)?.[1]
  const answer = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'starter', messages: [{ role: 'user', content: 'I lost my card' }] }),
  })
  assert.equal(answer.status, 200, await answer.clone().text())
  const id = answer.headers.get('x-request-id') ?? ''
  await until(async () => wattmill('books', 'receipt', id).status === 0)
  assert.equal(JSON.parse(wattmill('books', 'check').stdout).conserved, true)
  assert.equal(JSON.parse(wattmill('books', 'statement', '--tenant', 'default').stdout).requests, 1, 'of this month')
})

test('a new key works at once, a revoked one no more', async () => {
  const { key, id } = JSON.parse(wattmill('keys', 'create', '--tenant', 'acme').stdout)
  const status = async () => (await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status
  assert.equal(await status(), 200)
  wattmill('keys', 'revoke', id)
  assert.equal(await status(), 401)
})

test('a second factory in the same home is refused, and so is a port in use', () => {
  const second = wattmill('up', '--port', '0')
  assert.equal(second.status, 4)
  assert.match(second.stderr, /runs in .* already\nNext: wattmill status/)
  const nothing = join(temporary(), 'home')
  const up = (home: string, port: string) =>
    spawnSync(process.execPath, [script, 'up', '--home', home, '--port', port], { encoding: 'utf8' })
  assert.match(up(nothing, new URL(url).port).stderr, /is in use\nNext: wattmill up --port 0/)
  assert(!existsSync(nothing), 'what could not be started leaves no home')
  assert.match(up(script, '0').stderr, /cannot be a home: a file is where a folder should be\nNext: /)
})

test('a gateway that is killed comes back on the same port', async () => {
  const [pid] = pids()
  assert(pid)
  process.kill(pid, 'SIGKILL')
  await until(async () => (await fetch(`${url}/readyz`)).status === 200 && !pids().includes(pid))
})

test('gateways are replaced under clients that keep their connections, and nobody notices', async () => {
  const { key } = JSON.parse(wattmill('keys', 'create', '--tenant', 'acme').stdout)
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  const answers: unknown[] = []
  let replaced = false
  const client = async (): Promise<void> => {
    while (!replaced) answers.push(await statusOf(`${url}/v1/models`, key, agent))
  }
  const clients = [client(), client(), client(), client()]
  const before = pids()
  const restart = spawn(process.execPath, [script, 'restart', 'gateways', '--home', home, '-o', 'json'])
  const said = restart.stdout.toArray()
  assert.deepEqual(await once(restart, 'exit'), [0, null], complained)
  replaced = true
  await Promise.all(clients)
  agent.destroy()
  assert.deepEqual(JSON.parse(Buffer.concat(await said).toString()), { restarted: 1 })
  assert.deepEqual([...new Set(answers)], [200])
  assert(answers.length > 100, `only ${answers.length} answers`)
  await until(async () => pids().length === 1 && !before.includes(pids()[0] ?? 0))
})

const statusOf = (url: string, key: string, agent: Agent): Promise<unknown> =>
  new Promise((resolve) => {
    const asked = request(url, { agent, headers: { authorization: `Bearer ${key}` } }, (response) =>
      response.resume().on('end', () => resolve(response.statusCode)),
    )
    asked.on('error', (error) => resolve(error.message))
    asked.end()
  })

test('others may not come in by an admin key that lies open, and the command that is refused ends', {
  skip: process.platform === 'win32',
}, () => {
  const open = join(temporary(), 'home')
  mkdirSync(open)
  writeFileSync(join(open, 'admin.key'), 'wm-admin-'.padEnd(52, 'x'), { mode: 0o644 })
  const args = [script, 'up', '--home', open, '--port', '0', '--host', '0.0.0.0']
  const refused = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 60_000 })
  assert.equal(refused.status, 7, refused.stderr)
  assert.match(refused.stderr, /admin\.key can be read by others\nNext: /)
})

test('Ctrl-C stops all of it in peace, and the same home starts again', async () => {
  const ended = once(factory, 'exit')
  factory.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null], complained)
  assert.equal(wattmill('status').status, 5)
  const again = start()
  factory = again.child
  assert.match(await again.said, /A key for your program/, 'the first key is not shown twice')
})

test('when the command is killed outright, what it started ends by itself', {
  skip: process.platform === 'win32',
}, async () => {
  await until(async () => pids().length > 0)
  const [pid = 0] = pids()
  factory.kill('SIGKILL')
  await once(factory, 'exit')
  await until(async () => !lives(pid) && wattmill('status').status === 5)
})

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
