import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wasteCause } from '../../books/post.ts'
import { seconds } from '../../units/quantity.ts'
import { bench, chatBody, delta, done, eventsOf, fakeUpstream, finish, stream, until } from './testing.ts'

const usage = { prompt_tokens: 9, completion_tokens: 1 }
const admission = {
  queueLength: 4,
  queueTime: seconds(2),
  absentTime: seconds(0),
  leaseTime: seconds(1),
  attempts: 3,
  hedging: { share: 1, samples: 5 },
}

test('an engine that hangs: the request is answered by another, the first attempt is cut, on the row, and waste', async (t) => {
  let hangs = false
  const first = await fakeUpstream(t, (response) => {
    if (hangs) return void response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
    stream(response, delta('from 1'), finish({ usage }), done)
  })
  const second = await fakeUpstream(t, (response) => stream(response, delta('from 2'), finish({ usage }), done))
  const { post, journal, gateway } = await bench(t, {
    engines: [{ url: first.url }, { url: second.url }],
    settings: { admission, stallMs: 60_000 },
  })
  for (let n = 0; n < 12; n++) await post('/v1/chat/completions', chatBody({ stream: true }))
  hangs = true
  for (let n = 0; n < 12 && first.cut.length === 0; n++) {
    const { status, text } = await post('/v1/chat/completions', chatBody({ stream: true }))
    assert.equal(status, 200)
    assert(eventsOf(text).length > 1)
    assert.match(text, /from 2/)
    assert.doesNotMatch(text, /from 1/)
    await until(() => journal.closes.length === 13 + n)
  }
  assert.equal(first.cut.length, 1, 'its connection was closed')
  const row = journal.closes.at(-1)
  assert(row)
  assert.equal(row.outcome, 'complete')
  assert.deepEqual(
    row.attempts.map((one, at) => [one.replica, wasteCause(row, one, at === row.attempts.length - 1)]),
    [
      ['engine-1', 'hedge'],
      ['engine-2', undefined],
    ],
  )
  assert(row.attempts[1]?.hedge, 'it says why it was started')
  for (const name of ['engine-1', 'engine-2'])
    assert.equal(gateway.state.policy.router.load(name as never).running, 0, 'no load is left behind')
})
