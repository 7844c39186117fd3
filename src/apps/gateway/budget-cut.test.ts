import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allowance, indexed } from '../../books/allowance.ts'
import { bench, chatBody, chunkOf, delta, done, eventsOf, fakeUpstream, finish, stream } from './testing.ts'

const budget = 400
const made = 600
const usage = { prompt_tokens: 4, completion_tokens: made, total_tokens: made + 4 }

/** A tenant's tokens are used up in the middle of an answer: it is longer than answers are expected to be. */
async function cutBench(t: Parameters<typeof bench>[0]) {
  const words = Array.from({ length: made }, (_, at) => delta(`w${at} `))
  const up = await fakeUpstream(t, (response, { body }) => {
    if (body.stream) return stream(response, ...words, finish(), chunkOf(undefined, { usage }), done)
    const choices = [{ index: 0, message: { role: 'assistant', content: 'w '.repeat(made) }, finish_reason: 'stop' }]
    response.end(JSON.stringify({ id: 'x', object: 'chat.completion', created: 1, model: 'm', choices, usage }))
  })
  const { post, gateway, journal } = await bench(t, { engines: [{ url: up.url }] })
  const { state } = gateway
  assert(state.snapshot)
  const some = allowance({ scope: 'tenant', of: 'acme', unit: 'tokens', renews: 'never', amount: BigInt(budget) })
  state.snapshot = { ...state.snapshot, allowances: indexed([some]) }
  const { purses } = state.policy.admitter
  purses.setAlone(false)
  purses.setAlone = () => undefined // the test is the keeper of allowances
  let left = BigInt(budget)
  const keeper = setInterval(() => {
    const grants = purses.ask(state.now()).map(({ allowance, period, want }) => {
      const amount = want < left ? want : left
      left -= amount
      return { allowance, period, amount, left, exhausted: left === 0n, retry_ms: null }
    })
    purses.granted(grants, state.now())
  }, 5)
  t.after(() => clearInterval(keeper))
  return { post, journal }
}

test('a budget that runs out under a stream is what its client is told; what was made until then is billed', async (t) => {
  const { post, journal } = await cutBench(t)
  const { status, text } = await post('/v1/chat/completions', chatBody({ stream: true }))
  const [close] = journal.closes
  assert.equal(close?.outcome, 'budget_exhausted')
  const error = eventsOf(text).at(-1)?.error
  assert.deepEqual([status, error?.code], [200, 'budget_exhausted'], text.slice(-400))
  assert.match(error?.message, /ran out before the answer was whole/)
  assert((close?.attempts[0]?.usage.output_visible?.tokens ?? 0) > 300)
})

test('an answer that came whole is given whole; what the budget had no room for is nobody’s bill', async (t) => {
  const { post, journal } = await cutBench(t)
  const { status, json } = await post('/v1/chat/completions', chatBody({}))
  const [attempt] = journal.closes[0]?.attempts ?? []
  assert.deepEqual([status, journal.closes[0]?.outcome, json.usage.completion_tokens], [200, 'complete', made])
  const [said, free] = [attempt?.usage, attempt?.unbilled].map((usage) => usage?.output_visible?.tokens ?? 0)
  assert(said === made && free !== undefined && free > 0 && made - free + 4 <= budget, `${free} of ${said} are free`)
})
