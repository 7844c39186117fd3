import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import type { EngineHostClient } from './client.ts'
import { Models, type ModelsConfig } from './models.ts'
import type { KnownModel } from './protocol.ts'
import { openStream } from './stream.ts'
import { writeTinyModel } from './testing.ts'
import { ask, madeModel, startTiny, temporaryFolder } from './testing-engine.ts'

const after = { after: (run: () => void) => process.on('exit', run) }
let files: string[] = []
before(() => {
  const folder = temporaryFolder(after)
  files = [1, 2, 3].map((seed) => writeTinyModel(join(folder, `m${seed}.gguf`), { seed }))
})
const file = (at: number): string => files[at] ?? ''

const stateOf = (client: EngineHostClient, model: string): KnownModel['state'] | undefined =>
  client.status()?.models.find((one) => one.model === model)?.state

async function until(what: () => boolean): Promise<void> {
  for (let turn = 0; !what(); turn++) {
    assert(turn < 1000, `never: ${what}`)
    await sleep(5)
  }
}

/** Memory for two of the tiny models and a half. */
async function roomForTwo(t: Parameters<typeof startTiny>[0]) {
  const probe = await startTiny(t, file(0))
  await until(() => (probe.client.status()?.memory.used ?? 0) > 0)
  const one = probe.client.status()?.memory.used ?? 0
  assert(one > 100_000 && one < 100_000_000, `estimated from the file: ${one} bytes`)
  return startTiny(t, file(0), { memory: 2.5 * one })
}

test('the least recently used makes room, and comes back when it is asked for', async (t) => {
  const { client, host } = await roomForTwo(t)
  await host.load('b', file(1))
  await ask(client, { model: 'tiny', text: 'x', max_tokens: 1 })
  assert.equal((await host.load('c', file(2))).on, 'loaded')
  await until(() => stateOf(client, 'b') === 'cold' && stateOf(client, 'c') === 'ready')
  assert.equal(stateOf(client, 'tiny'), 'ready')
  const { memory } = client.status() ?? { memory: { budget: 0, used: 1 } }
  assert(memory.used <= memory.budget)

  const refused = await ask(client, { model: 'b', text: 'x' })
  assert(refused.last?.on === 'fail' && refused.last.fault === 'overloaded')
  client.load('b')
  await until(() => stateOf(client, 'b') === 'ready')
  assert.equal(stateOf(client, 'tiny'), 'cold', 'c was used last')
  assert.equal((await ask(client, { model: 'b', text: 'x', max_tokens: 2 })).count?.output, 2)
})

test('none that has streams is unloaded: it finishes them, takes no more, and then goes', async (t) => {
  const { client, host } = await roomForTwo(t)
  await host.load('b', file(1))
  const long = (model: string) =>
    ask(client, { model, text: 'x', max_tokens: 300, sampling: { temperature: 1, seed: 1, logit_bias: {} } })
  const running = [long('tiny'), long('b')]
  await until(() => client.status() !== undefined)
  const loading = host.load('c', file(2))
  await until(() => stateOf(client, 'tiny') === 'leaving' || stateOf(client, 'b') === 'leaving')
  const leaving = stateOf(client, 'tiny') === 'leaving' ? 'tiny' : 'b'
  const late = await ask(client, { model: leaving, text: 'x' })
  assert(late.last?.on === 'fail' && late.last.fault === 'overloaded', JSON.stringify(late.last))
  for (const { last, tokens, count } of await Promise.all(running)) {
    assert(last?.on === 'end' && last.why !== 'cancelled')
    assert.equal(tokens, count?.output)
  }
  assert.equal((await loading).on, 'loaded')
})

test('unloaded by hand it is known on; a model larger than all memory is refused in words; a start fills what there is', async (t) => {
  const { client, host, folder } = await roomForTwo(t)
  const running = ask(client, { text: 'x', max_tokens: 200, sampling: { temperature: 1, seed: 2 } })
  client.unload('tiny')
  assert((await running).last?.on === 'end')
  await until(() => stateOf(client, 'tiny') === 'cold')
  assert.equal(client.status()?.memory.used, 0)
  client.load('nobody')
  client.load('tiny')
  await until(() => stateOf(client, 'tiny') === 'ready')
  assert.equal(stateOf(client, 'nobody'), undefined)

  const huge = writeTinyModel(join(folder, 'huge.gguf'), { context: 400_000 })
  const { host: small } = await startTiny(t, file(0), { context: 100_000, memory: 30_000_000 })
  const outcome = await small.load('huge', huge)
  assert(
    outcome.on === 'load_failed' && /MiB of memory.*engine\.memory_mib/.test(outcome.message),
    JSON.stringify(outcome),
  )

  const outcomes = await host.fill([
    { name: 'x', path: file(1) },
    { name: 'y', path: file(2) },
    { name: 'z', path: join(folder, 'missing.gguf') },
  ])
  assert.deepEqual(
    outcomes.map(({ on }) => on),
    ['loaded', 'load_failed', 'load_failed'],
  )
  await until(() => stateOf(client, 'z') === 'failed')
  assert.deepEqual(
    ['tiny', 'x', 'y'].map((name) => stateOf(client, name)),
    ['ready', 'ready', 'cold'],
  )
})

/** Models that count the bytes they hold; a file's name is its size. */
function counting(memory: number) {
  let held = 0
  let most = 0
  const log = { incarnation: 'x', write: () => undefined, close: () => undefined }
  const config: ModelsConfig = { batch: 8, queue: 4, memory, leastStay: 0 }
  const models = new Models(
    {
      bytes: async (path) => Number(path),
      open: async (path) => {
        held += Number(path)
        most = Math.max(most, held)
        await sleep(1)
        const dispose = async (): Promise<void> => {
          await sleep(1)
          held -= Number(path)
        }
        return { ...madeModel(1), dispose }
      },
    },
    log,
    config,
    () => undefined,
  )
  return { models, held: () => held, most: () => most }
}

test('whatever is loaded, unloaded, removed and asked at once, memory is never exceeded and every load has an outcome', async () => {
  const step = fc.record({
    what: fc.constantFrom('load', 'load', 'load', 'unload', 'remove', 'ask'),
    model: fc.integer({ min: 1, max: 5 }),
    pause: fc.boolean(),
  })
  const one = (what: string, model: number, pause = false) => ({ what, model, pause })
  const found = [
    // removed while it answers: its memory is taken until it is freed
    [one('load', 4, true), one('unload', 1, true), one('load', 2), one('ask', 4), one('remove', 4)],
    // loaded while it is being removed: what is loaded then is known, or it could never be freed
    [one('remove', 2), one('load', 2, true), one('load', 2)],
  ]
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async (steps) => {
      const { models, held, most } = counting(9)
      const under: Promise<unknown>[] = []
      for (const { what, model, pause } of steps) {
        const name = `m${model}`
        if (what === 'load')
          under.push(models.load(name, String(model + 2)).then(({ on }) => assert.equal(on, 'loaded')))
        if (what === 'unload') under.push(models.unload(name))
        if (what === 'remove') under.push(models.remove(name))
        const hosted = models.find(name)
        if (what === 'ask' && hosted?.state === 'ready' && hosted.serving.makes === 'text') {
          const ask = { id: 'a/1', model: name, prompt: [1, 2], choosing: { sampling: {} }, stops: [], most: 5 }
          hosted.serving.work.submit(openStream(ask, hosted.serving.model, () => undefined))
        }
        if (pause) await sleep(1)
      }
      await Promise.all(under)
      assert(most() <= 9, `${most()} bytes of 9`)
      for (let model = 1; model <= 5; model++) await models.remove(`m${model}`)
      await until(() => held() === 0)
    }),
    { numRuns: 300, examples: found.map((steps) => [steps]) },
  )
})
