import assert from 'node:assert/strict'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { stepOfLine } from '../../books/work.ts'
import type { AttemptReport, EngineHostClient } from './client.ts'
import type { EmbedCommand } from './commands.ts'
import { writeTinyModel } from './testing.ts'
import { DIMENSIONS, letterToken, writeTinyBert } from './testing-embedder.ts'
import { ask, loggedOf, readLog, startTiny, temporaryFolder } from './testing-engine.ts'

const after = { after: (run: () => void) => process.on('exit', run) }
let bert = ''
before(() => {
  bert = writeTinyBert(join(temporaryFolder(after), 'bert.gguf'))
})

let attempts = 0
function embed(
  client: EngineHostClient,
  inputs: EmbedCommand['inputs'],
  more: Partial<EmbedCommand> = {},
  each: (report: AttemptReport) => void = () => undefined,
) {
  const id = more.id ?? `e${++attempts}/1`
  const vectors: Float32Array[] = []
  return new Promise<{ id: string; vectors: Float32Array[]; reports: AttemptReport[]; last: AttemptReport }>(
    (resolve) => {
      const reports: AttemptReport[] = []
      client.generate({ do: 'embed', id, model: 'tiny', inputs, ...more }, (report) => {
        reports.push(report)
        if (report.on === 'vector') {
          assert.equal(report.index, vectors.length)
          vectors.push(new Float32Array(Uint8Array.from(Buffer.from(report.data, 'base64')).buffer))
        }
        each(report)
        if (report.on === 'end' || report.on === 'fail' || report.on === 'lost')
          resolve({ id, vectors, reports, last: report })
      })
    },
  )
}

const cosine = (a: Float32Array | undefined, b: Float32Array | undefined): number =>
  [...(a ?? [])].reduce((sum, value, at) => sum + value * (b?.[at] ?? 0), 0)

test('vectors of length one: the same for the same text, as text and as tokens; the count is what was evaluated', async (t) => {
  const { client, folder } = await startTiny(t, bert)
  const { id, vectors, last, reports } = await embed(client, [
    'a b',
    'a b',
    'c d e',
    [letterToken('a'), letterToken('b')],
  ])
  assert.equal(vectors.length, 4)
  for (const vector of vectors) {
    assert.equal(vector.length, DIMENSIONS)
    assert(Math.abs(cosine(vector, vector) - 1) < 1e-5)
  }
  assert(cosine(vectors[0], vectors[1]) > 0.99999 && cosine(vectors[0], vectors[3]) > 0.99999)
  assert(cosine(vectors[0], vectors[2]) < 0.999)

  // Each text is between [CLS] and [SEP].
  const whole = 4 + 4 + 5 + 4
  assert.deepEqual(reports[0], { on: 'begin', id, input_uncached: whole, cache_read: 0 })
  assert(last.on === 'end' && last.why === 'stop')
  assert.deepEqual(last.count, { input_uncached: whole, cache_read: 0, output: 0 })
  const log = readLog(folder)
  assert.deepEqual(loggedOf(log, id).end?.count, last.count)
  const steps = log.flatMap((line) => (line.log === 'step' ? [stepOfLine(line)] : []))
  assert.deepEqual(
    steps.flatMap((step) => step?.sequences.map(({ attempt, prefill }) => [attempt, prefill])),
    [4, 4, 5, 4].map((size) => [id, size]),
  )
})

test('requests take turns; one that is cancelled is counted as far as it came', async (t) => {
  const { client, folder } = await startTiny(t, bert)
  const many = Array.from({ length: 200 }, (_, at) => `a ${at}`)
  let seen = 0
  const [cut, whole, unborn] = await Promise.all([
    embed(client, many, { id: 'cut/1' }, (report) => {
      if (report.on === 'vector' && ++seen === 3) client.cancel('cut/1')
    }),
    embed(client, many.slice(0, 20)),
    embed(client, ['a'], { id: 'unborn/1' }, (report) => {
      if (report.on !== 'begin') return
      assert.fail('it was cancelled before its turn')
    }),
    Promise.resolve().then(() => client.cancel('unborn/1')),
  ])
  assert(cut.last.on === 'end' && cut.last.why === 'cancelled')
  assert(cut.vectors.length >= 3 && cut.vectors.length < 200)
  const log = readLog(folder)
  const counted = log.flatMap((line) => (line.log === 'step' ? line.made.filter(([id]) => id === 'cut/1') : []))
  assert.equal(
    cut.last.count.input_uncached,
    counted.reduce((sum, [, , prefill = 0]) => sum + prefill, 0),
  )
  assert.equal(whole.vectors.length, 20)
  assert(unborn.last.on === 'end' && unborn.last.count.input_uncached === 0)
})

test('what does not fit or is not meant is refused, and nothing is logged of it', async (t) => {
  const { client, host, folder } = await startTiny(t, bert)
  await host.load('writer', writeTinyModel(join(folder, 'm.gguf')))
  const refused = async (
    fault: string,
    ...asked: Parameters<typeof embed> extends [unknown, ...infer Rest] ? Rest : never
  ) => {
    const { last } = await embed(client, ...asked)
    assert(last.on === 'fail' && last.fault === fault, JSON.stringify(last))
    return last.message
  }
  assert.match(await refused('context_length', ['a', 'b '.repeat(126)]), /input 1 has 128 tokens; .* 127/)
  await refused('context_length', ['x'.repeat(1_000_000)])
  await refused('bad_request', [[1, 5000]])
  await refused('unsupported', ['a'], { dimensions: 16 })
  await refused('unsupported', ['a'], { model: 'writer' })
  await refused('unknown_model', ['a'], { model: 'nobody' })
  const { last } = await ask(client, { text: 'x' })
  assert(last?.on === 'fail' && last.fault === 'unsupported' && /vectors/.test(last.message))
  assert.equal(readLog(folder).filter((line) => line.log === 'begin').length, 0)
  const fits = await embed(client, ['b '.repeat(125)], { dimensions: DIMENSIONS })
  assert(fits.last.on === 'end' && fits.last.count.input_uncached === 127)
})
