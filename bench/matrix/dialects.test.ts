import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { findPreset } from '../../src/adapters/openai/presets/table.ts'
import { readEngine } from '../../src/adapters/prometheus/engine-names.ts'
import { parseMetrics } from '../../src/adapters/prometheus/parse.ts'
import { bench, chatBody, fakeUpstream } from '../../src/apps/gateway/testing.ts'
import { temporary } from '../../src/apps/operator/testing.ts'
import { tokenClasses } from '../../src/books/usage.ts'
import { dialects, pages } from './dialects.ts'
import { ran } from './record.ts'

const secret = join(temporary(), 'key')
writeFileSync(secret, 'upstream-secret\n')

for (const { engine, surfaces, source, ask, answer, expect } of dialects)
  test(`synthetic ${engine}: ${source}`, async (t) => {
    const preset = findPreset(engine)
    assert(preset, engine)
    const upstream = await fakeUpstream(t, (response) => {
      if ('chunks' in answer) {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        for (const chunk of answer.chunks) response.write(`data: ${JSON.stringify({ id: 'u', ...chunk })}\n\n`)
        response.end('data: [DONE]\n\n')
      } else {
        response.writeHead('status' in answer ? answer.status : 200, { 'content-type': 'application/json' })
        response.end(JSON.stringify(answer.body))
      }
    })
    const gateway = await bench(t, { engines: [{ url: upstream.url, key_from: `file:${secret}`, product: preset.id }] })
    const reply = await gateway.post('/v1/chat/completions', chatBody(ask))

    const [seen] = upstream.seen
    assert(seen, 'the request reached the engine')
    for (const [field, value] of Object.entries(expect.sent ?? {})) assert.deepEqual(seen.body[field], value, field)
    for (const field of expect.unsent ?? []) assert(!(field in seen.body), `${field} was sent`)
    for (const [name, value] of Object.entries(expect.headers ?? {})) assert.equal(seen.headers[name], value)
    const usage = gateway.journal.closes[0]?.attempts.at(-1)?.usage
    if (expect.error) {
      assert.deepEqual([reply.status, reply.json.error.code], [expect.error.status, expect.error.code])
      assert.match(reply.json.error.message, expect.error.says ?? /./)
    } else {
      assert.equal(reply.status, 200)
      const told = tokenClasses.map((of) => [of, usage?.[of]?.tokens])
      assert.deepEqual(
        told,
        tokenClasses.map((of) => [of, expect.usage?.[of]]),
      )
      assert(tokenClasses.every((of) => !usage?.[of] || usage[of].source === 'provider'))
    }
    for (const surface of surfaces) ran({ engine, surface, how: 'synthetic', what: source })
  })

for (const [engine, page] of Object.entries(pages))
  test(`synthetic ${engine}: its page of metrics`, () => {
    const read = readEngine(parseMetrics(page).samples)
    assert.deepEqual([read?.kind, read?.report.running, read?.report.waiting], [findPreset(engine)?.metrics, 3, 1])
    ran({ engine, surface: 'metrics page', how: 'synthetic', what: 'the names that its project publishes' })
  })

test('every preset is known, and none is told of that is not', () => {
  const spoken = new Set(dialects.map(({ engine }) => engine))
  assert(spoken.size >= 12)
  for (const engine of spoken) assert(findPreset(engine), engine)
})
