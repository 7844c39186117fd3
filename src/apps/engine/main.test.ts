/** The process as the launcher sees it: ready, ended, killed. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeTinyModel } from '../../adapters/llama/testing.ts'
import { ask, dialled, loggedOf, readLog, temporaryFolder } from '../../adapters/llama/testing-engine.ts'

interface Engine {
  readonly child: ChildProcess
  readonly folder: string
  readonly socket: string
  readonly exit: Promise<unknown[]>
}

/** Starts the process in a folder and waits until it says that it is ready. */
async function start(t: TestContext, folder = temporaryFolder(t)): Promise<Engine> {
  const socket = join(folder, 's')
  const model = join(folder, 'tiny.gguf')
  if (!existsSync(model)) writeTinyModel(model)
  const args = ['--home', folder, '--socket', socket, '--threads', '1', '--slots', '4', '--context', '512']
  const child = spawn(
    process.execPath,
    [
      join(import.meta.dirname, 'main.ts'),
      ...args,
      '--model',
      `tiny=${model}`,
      '--model',
      `bad=${import.meta.filename}`,
    ],
    {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    },
  )
  const exit = once(child, 'exit')
  t.after(() => child.kill('SIGKILL'))
  const [message] = await once(child, 'message')
  assert.deepEqual(message, { ready: true })
  return { child, folder, socket, exit }
}

const IDS = ['k0/1', 'k1/1', 'k2/1', 'k3/1', 'k4/1']

test('killed in mid-stream, its log holds every token that was told; the next one takes over the socket and the client comes back', async (t) => {
  let engine = await start(t)
  const { client, heard } = await dialled(t, engine.socket, (_, client) => client.ready())
  for (let round = 0; round < 3; round++) {
    const ids = IDS.map((id) => `${round}-${id}`)
    const { child } = engine
    let told = 0
    const results = await Promise.all(
      ids.map((id) =>
        ask(client, { id, text: `tell me ${id}`, max_tokens: 490 }, (report) => {
          if (report.on === 'step' && ++told === 40 + 37 * round) child.kill('SIGKILL')
        }),
      ),
    )
    const log = readLog(join(engine.folder, 'engine'))
    assert.ok(results.some(({ last }) => last?.on === 'lost'))
    results.forEach(({ tokens, last, count, reports }, at) => {
      const logged = loggedOf(log, ids[at] ?? '')
      assert.ok(logged.tokens >= tokens, `logged ${logged.tokens}, told ${tokens}`)
      if (last?.on === 'end')
        assert.deepEqual(logged.end?.count, count) // it said its last word before the kill
      else assert.equal(reports.filter((report) => report.on === 'lost').length, 1)
    })
    await engine.exit
    assert.ok(existsSync(engine.socket)) // stale
    engine = await start(t, engine.folder)
    while (!client.ready()) await sleep(10)
  }
  assert.equal((await ask(client, { text: 'hello again', max_tokens: 5 })).count?.output, 5)
  assert.ok(heard.filter((report) => report.on === 'down').length === 3)
  const hosts = readLog(join(engine.folder, 'engine')).flatMap((line) =>
    line.log === 'host' ? [line.incarnation] : [],
  )
  assert.equal(new Set(hosts).size, 4)
})

for (const [name, stop] of [
  ['SIGTERM', (child: ChildProcess) => child.kill('SIGTERM')],
  ['its parent gone', (child: ChildProcess) => child.disconnect()],
] as const)
  test(`${name}: what runs is finished, what is new is refused, the log is closed, exit 0`, async (t) => {
    const { child, folder, socket, exit } = await start(t)
    const { client } = await dialled(t, socket, (_, client) => client.ready())
    assert.deepEqual(
      client.status()?.models.map(({ model, state }) => [model, state]),
      [
        ['tiny', 'ready'],
        ['bad', 'failed'],
      ],
    )
    let steps = 0
    let late: ReturnType<typeof ask> | undefined
    const results = await Promise.all(
      IDS.map((id) =>
        ask(client, { id, text: 'x', max_tokens: 200 }, (report) => {
          if (report.on !== 'step') return
          if (++steps === 20) stop(child)
          if (steps === 60) late ??= ask(client, { id: 'late/1', text: 'x', max_tokens: 5 })
        }),
      ),
    )
    assert.deepEqual(await exit, [0, null])
    const log = readLog(join(folder, 'engine'))
    assert.equal(log.at(-1)?.log, 'close')
    results.forEach(({ tokens, last, count }, at) => {
      assert.ok(last?.on === 'end' && last.why === 'length', JSON.stringify(last))
      assert.deepEqual([tokens, count?.output], [200, 200])
      assert.deepEqual(loggedOf(log, IDS[at] ?? '').end?.count, count)
    })
    assert.equal((await late)?.last?.on, 'fail')
    assert.equal(existsSync(socket), false)
  })

test('told twice: streams are cancelled with their counts', async (t) => {
  const { child, folder, socket, exit } = await start(t)
  const { client } = await dialled(t, socket, (_, client) => client.ready())
  let steps = 0
  const results = await Promise.all(
    IDS.map((id) =>
      ask(client, { id, text: 'x', max_tokens: 490 }, (report) => {
        if (report.on === 'step' && [20, 40].includes(++steps)) child.kill('SIGTERM')
      }),
    ),
  )
  assert.deepEqual(await exit, [0, null])
  const log = readLog(join(folder, 'engine'))
  results.forEach(({ tokens, last, count }, at) => {
    assert.ok(last?.on === 'end' && last.why === 'cancelled')
    assert.equal(tokens, count?.output)
    assert.deepEqual(loggedOf(log, IDS[at] ?? '').end?.count, count)
  })
})

test('it refuses a socket path that is something else or somebody’s', async (t) => {
  const { folder, socket } = await start(t)
  const file = join(folder, 'file')
  writeFileSync(file, 'precious')
  for (const path of [socket, file]) {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), '--home', folder, '--socket', path], {
      stdio: 'ignore',
    })
    assert.deepEqual(await once(child, 'exit'), [1, null])
  }
  assert.ok(existsSync(socket) && existsSync(file))
})
