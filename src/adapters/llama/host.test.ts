import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AttemptReport } from './client.ts'
import type { CountCommand } from './commands.ts'
import { LineSplitter } from './lines.ts'
import type { EngineReport } from './protocol.ts'
import { byteToken, tokenByte, writeTinyModel } from './testing.ts'
import { ask, dialled, loggedOf, readLog, startTiny, temporaryFolder } from './testing-engine.ts'

const after = { after: (run: () => void) => process.on('exit', run) }
let noise = ''
before(() => {
  noise = writeTinyModel(join(temporaryFolder(after), 'noise.gguf'))
})

const prompt = (n: number): string => `request ${n}: ${'lorem ipsum '.repeat(n % 7)}`

test('32 requests at once on 4 slots: all finish with the text they have alone; steps, end and log agree', async (t) => {
  const { client, folder } = await startTiny(t, noise)
  const alone: string[] = []
  for (let n = 0; n < 32; n++) alone.push((await ask(client, { text: prompt(n), max_tokens: 24 })).text)
  assert.equal(new Set(alone).size, 32)

  const together = await Promise.all(
    alone.map((_, n) => ask(client, { id: `b${n}/1`, text: prompt(n), max_tokens: 24 })),
  )
  // Noise has near ties, and llama.cpp's sums differ by 1e-5 with the size of the batch: a text or two may part from the other.
  const same = together.filter(({ text }, n) => text === alone[n])
  assert.ok(same.length >= 28, `${same.length} of 32 are the same`)

  const log = readLog(folder)
  together.forEach(({ tokens, count, last, reports }, n) => {
    const logged = loggedOf(log, `b${n}/1`)
    assert.ok(last?.on === 'end' && last.why === logged.end?.why)
    assert.equal(tokens, count?.output)
    assert.equal(logged.tokens, count?.output)
    assert.deepEqual(logged.end?.count, count)
    const [begin] = reports
    assert.ok(
      begin?.on === 'begin' && begin.input_uncached === count?.input_uncached && begin.cache_read === count.cache_read,
    )
  })
  const sizes = log.flatMap((line) => (line.log === 'step' ? [line.made.length] : []))
  assert.equal(Math.max(...sizes), 4)
})

test('where there are no ties, batching changes nothing at all at temperature 0', async (t) => {
  const next = (token: number): number => byteToken(((tokenByte(token) ?? 0) * 5 + 3) % 256)
  const { client } = await startTiny(t, writeTinyModel(join(temporaryFolder(t), 'm.gguf'), { next }))
  const texts = Array.from({ length: 24 }, (_, n) => `${prompt(n)}${String.fromCharCode(65 + n)}`)
  const alone: string[] = []
  for (const text of texts) alone.push((await ask(client, { text, max_tokens: 24 })).text)
  assert.equal(new Set(alone).size, 24)
  for (let round = 0; round < 5; round++) {
    const together = await Promise.all(texts.map((text) => ask(client, { text, max_tokens: 24 })))
    assert.deepEqual(
      together.map(({ text }) => text),
      alone,
      `round ${round}`,
    )
  }
})

test('a reused prefix is told as measured and gives the text of a cold start', async (t) => {
  const { client } = await startTiny(t, noise, { slots: 1, batch: 16 })
  const text = 'a prompt that is long enough to be evaluated in several pieces of the batch'
  const cold = await ask(client, { text, max_tokens: 20 })
  const warm = await ask(client, { text, max_tokens: 20 })
  const size = (cold.count?.input_uncached ?? 0) + (cold.count?.cache_read ?? 0)
  assert.deepEqual(cold.count, { input_uncached: size, cache_read: 0, output: 20 })
  assert.deepEqual(warm.count, { input_uncached: 1, cache_read: size - 1, output: 20 })
  assert.equal(warm.text, cold.text)

  const other = await ask(client, { text: text.slice(0, 30), max_tokens: 20 })
  assert.equal(other.count?.cache_read, 30) // BOS and 30 letters, the last of which is evaluated again
  const { client: fresh } = await startTiny(t, noise, { slots: 1 })
  assert.equal(other.text, (await ask(fresh, { text: text.slice(0, 30), max_tokens: 20 })).text)
})

test('a seed fixes the text, alone and in a batch; without one two answers differ', async (t) => {
  const { client } = await startTiny(t, noise)
  const sampling = { temperature: 1, top_k: 0, top_p: 1, min_p: 0, seed: 7 }
  const once = await ask(client, { text: 'x', max_tokens: 20, sampling })
  const again = await Promise.all([0, 1, 2, 3].map(() => ask(client, { text: 'x', max_tokens: 20, sampling })))
  for (const { text } of again) assert.equal(text, once.text)

  const { seed: _, ...free } = sampling
  const loose = await Promise.all([0, 1, 2, 3].map(() => ask(client, { text: 'x', max_tokens: 20, sampling: free })))
  assert.ok(new Set(loose.map(({ text }) => text)).size > 1)
})

test('a presence penalty keeps a greedy model from saying a token twice', async (t) => {
  const { client } = await startTiny(t, noise)
  const sampling = { temperature: 0, presence_penalty: 100 }
  const { reports, count } = await ask(client, { text: 'x', max_tokens: 60, sampling })
  const texts = reports.flatMap((report) => (report.on === 'step' && /^[ -~]$/.test(report.text) ? [report.text] : []))
  assert.ok((count?.output ?? 0) > 1 && texts.length > 3)
  assert.equal(new Set(texts).size, texts.length)
})

test('cancel at every step: the count is exact, told and logged', async (t) => {
  const { client, folder } = await startTiny(t, noise)
  for (let at = 0; at <= 10; at++) {
    const id = `c${at}/1`
    let steps = 0
    const { last, tokens, count } = await ask(client, { id, text: 'cancel me', max_tokens: 400 }, (report) => {
      if (report.on === (at === 0 ? 'begin' : 'step') && steps++ === Math.max(0, at - 1)) client.cancel(id)
    })
    assert.ok(last?.on === 'end' && last.why === 'cancelled', `at ${at}`)
    assert.ok(tokens >= at && tokens < 400)
    assert.equal(count?.output, tokens)
    const logged = loggedOf(readLog(folder), id)
    assert.equal(logged.tokens, tokens)
    assert.deepEqual(logged.end?.count, count)
  }
})

test('a dropped connection cancels what it asked for, running and waiting, and the log says so', async (t) => {
  const { client, folder, socketPath } = await startTiny(t, noise, { slots: 2 })
  const { client: dying } = await dialled(t, socketPath, (_, client) => client.ready())
  let told = 0
  const lost = ['d0/1', 'd1/1', 'd2/1', 'd3/1'].map((id) =>
    ask(dying, { id, text: 'x', max_tokens: 450 }, (report) => {
      if (report.on === 'step' && ++told === 20) dying.close()
    }),
  )
  for (const { last, reports } of await Promise.all(lost)) {
    assert.equal(last?.on, 'lost')
    assert.equal(reports.filter((report) => report.on === 'lost').length, 1)
  }
  await ask(client, { text: 'still here', max_tokens: 3 })
  for (const id of ['d0/1', 'd1/1', 'd2/1', 'd3/1']) {
    const { end, tokens } = loggedOf(readLog(folder), id)
    assert.equal(end?.why, 'cancelled')
    assert.equal(end.count.output, tokens)
  }
})

test('bad lines are answered and the host stays up', async (t) => {
  const { client, socketPath } = await startTiny(t, noise)
  const socket = connect(socketPath)
  const lines = new LineSplitter()
  const heard: EngineReport[] = []
  socket.on('data', (chunk: Buffer) => {
    for (const line of lines.push(chunk)) if (line.kind === 'line') heard.push(JSON.parse(line.text))
  })
  socket.write('nonsense\n\n{"do":"dance","id":"x/1"}\n')
  socket.write(`${'y'.repeat(17 * 1024 * 1024)}\n`)
  socket.write(`${JSON.stringify({ do: 'generate', id: 'x/2', model: 'nobody', text: 'x', sampling: {} })}\n`)
  socket.write(`${JSON.stringify({ do: 'cancel', id: 'x/9' })}\n{"do":"status"}\n`)
  while (!heard.some((report) => report.on === 'status')) await sleep(5)
  socket.destroy()
  const fails = heard.flatMap((report) => (report.on === 'fail' ? [[report.id, report.fault]] : []))
  assert.deepEqual(fails, [
    ['', 'bad_request'],
    ['x/1', 'bad_request'],
    ['', 'bad_request'],
    ['x/2', 'unknown_model'],
  ])
  assert.equal((await ask(client, { text: 'x', max_tokens: 2 })).count?.output, 2)
})

test('a prompt is counted as it would be evaluated, and nothing is logged of it', async (t) => {
  const { client, folder } = await startTiny(t, noise, { context: 64 })
  const count = (command: Omit<CountCommand, 'do' | 'id'>): Promise<AttemptReport> =>
    new Promise((resolve) => client.generate({ do: 'count', id: `count/${command.model}`, ...command }, resolve))
  const messages = [{ role: 'user', content: 'how long?' }]
  const counted = await count({ model: 'tiny', messages })
  const before = readLog(folder).length
  assert.ok(counted.on === 'counted')
  const made = await ask(client, { messages, max_tokens: 1 })
  assert.equal(counted.tokens, (made.count?.input_uncached ?? 0) + (made.count?.cache_read ?? 0))
  assert.deepEqual(await count({ model: 'tiny', messages }), counted)
  assert.equal(readLog(folder).filter((line) => 'id' in line && line.id.startsWith('count/')).length, 0)
  assert.ok(before > 0)
  const long = await count({ model: 'tiny', messages: [{ role: 'user', content: 'x'.repeat(200) }] })
  assert.ok(long.on === 'fail' && long.fault === 'context_length')
  const unknown = await count({ model: 'nobody', messages })
  assert.ok(unknown.on === 'fail' && unknown.fault === 'unknown_model')
})

test('a stop string that ends an answer is named, and not shown', async (t) => {
  const { client } = await startTiny(t, noise)
  const free = await ask(client, { text: 'xyz', max_tokens: 20 })
  const stop = free.text.slice(3, 5)
  assert.equal(stop.length, 2)
  const cut = await ask(client, { text: 'xyz', max_tokens: 20, stop: ['never', stop] })
  assert.ok(cut.last?.on === 'end' && cut.last.why === 'stop')
  assert.equal(cut.last.stop, stop)
  assert.equal(cut.text, free.text.slice(0, free.text.indexOf(stop)))
  assert.ok(free.last?.on === 'end' && free.last.stop === undefined)
})

test('a prompt that does not fit is refused with both numbers; one that just fits gets one token', async (t) => {
  const { client } = await startTiny(t, noise, { context: 64 })
  const long = await ask(client, { text: 'x'.repeat(63) })
  assert.ok(
    long.last?.on === 'fail' && long.last.fault === 'context_length' && /64 tokens.*holds 64/.test(long.last.message),
  )
  const huge = await ask(client, { text: 'x'.repeat(1_000_000) })
  assert.ok(huge.last?.on === 'fail' && huge.last.fault === 'context_length')
  const fits = await ask(client, { text: 'x'.repeat(62) })
  assert.ok(fits.last?.on === 'end' && fits.last.why === 'length')
  assert.deepEqual(fits.count, { input_uncached: 63, cache_read: 0, output: 1 })
  const full = await ask(client, { text: 'xyz' })
  assert.ok(full.last?.on === 'end' && (full.last.why === 'stop' || full.count?.output === 60))
})

test('a file that is no model is refused with a reason and leaves the host serving', async (t) => {
  const { client, host, folder } = await startTiny(t, noise)
  const whole = readFileSync(noise)
  const wrong: [string, Buffer][] = [
    ['empty', Buffer.of()],
    ['text', Buffer.from('hello, this is no model')],
    ['head', whole.subarray(0, 200)],
    ['half', whole.subarray(0, whole.length / 2)],
    ['short', whole.subarray(0, whole.length - 64)],
    ['scrambled', Buffer.concat([whole.subarray(0, 24), Buffer.alloc(400, 0xff), whole.subarray(424)])],
  ]
  for (const [name, bytes] of wrong) {
    const path = join(folder, `${name}.gguf`)
    writeFileSync(path, bytes)
    const outcome = await host.load(name, path)
    assert.ok(outcome.on === 'load_failed' && outcome.message.length > 5, name)
    const { last } = await ask(client, { model: name, text: 'x' })
    assert.ok(last?.on === 'fail' && last.fault === 'unknown_model')
  }
  const missing = await host.load('missing', join(folder, 'missing.gguf'))
  assert(missing.on === 'load_failed' && /cannot be read \(ENOENT\)/.test(missing.message))
  assert(!missing.message.includes(folder), 'clients hear of it')
  assert.equal((await ask(client, { text: 'x', max_tokens: 2 })).count?.output, 2)
})

test('models come and go by name; removing fails what they were doing', async (t) => {
  const { client, host, socketPath } = await startTiny(t, noise)
  const { heard } = await dialled(t, socketPath, (report) => report.on === 'status')
  assert.equal((await host.load('second', noise)).on, 'loaded')
  assert.equal((await host.load('second', noise)).on, 'loaded')
  assert.equal((await host.load('second', '/other.gguf')).on, 'load_failed')
  const running = ask(client, { model: 'second', text: 'x', max_tokens: 500 }, (report) => {
    if (report.on === 'step') client.remove('second')
  })
  const { last } = await running
  assert.ok(last?.on === 'fail' && last.fault === 'unknown_model')
  while (client.status()?.models.length !== 1) await sleep(5)
  assert.ok(heard.some((report) => report.on === 'status' && report.models.some(({ state }) => state === 'loading')))
  assert.equal((await ask(client, { text: 'x', max_tokens: 2 })).count?.output, 2)
})

test('the socket belongs to its owner alone', { skip: process.platform === 'win32' }, async (t) => {
  const { socketPath } = await startTiny(t, noise)
  assert.equal(statSync(socketPath).mode & 0o777, 0o600)
})

test('a gateway that does not read is cut off at the bound, and its streams end', async (t) => {
  const { client, folder, socketPath } = await startTiny(t, noise, { mostUnread: 1000 })
  const deaf = connect(socketPath).pause()
  const closed = new Promise((resolve) => deaf.once('close', resolve))
  for (let n = 0; n < 200; n++)
    deaf.write(`${JSON.stringify({ do: 'generate', id: `deaf${n}/1`, model: 'tiny', text: 'x', sampling: {} })}\n`)
  const ends = (): number => readLog(folder).filter((line) => line.log === 'end' && line.id.startsWith('deaf')).length
  for (let turn = 0; ends() < 200; turn++) {
    assert.ok(turn < 2000, 'the streams of a deaf gateway end')
    await sleep(10)
  }
  assert.ok(readLog(folder).some((line) => line.log === 'end' && line.why === 'cancelled'))
  deaf.resume()
  await closed
  assert.equal((await ask(client, { text: 'x', max_tokens: 2 })).count?.output, 2)
})
