import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inputTokens, outputTokens } from '../../books/usage.ts'
import { mergeUsage, usageOf } from '../../lines/inference/wire-usage.ts'
import { UpstreamStream } from './upstream-stream.ts'

/**
 * Streams as engines and providers were reported to send them. They are synthetic, written from the threads named
 * beside them, not recorded.
 */
const chunk = (choice: object | undefined, more: object = {}): string =>
  `data: ${JSON.stringify({ id: 'x', model: 'up', choices: choice ? [{ index: 0, ...choice }] : [], ...more })}\n\n`
const content = (text: string): string => chunk({ delta: { content: text }, finish_reason: null })
const end = (more: object = {}): string => chunk({ delta: {}, finish_reason: 'stop' }, more)
const done = 'data: [DONE]\n\n'

interface Expected {
  readonly usage: readonly [
    uncached: number | null,
    cached: number | null,
    visible: number | null,
    reasoning: number | null,
  ]
  readonly whole?: boolean
  readonly produced?: number
}

const fixtures: Readonly<Record<string, readonly [string, Expected]>> = {
  'OpenAI: usage in a last chunk without choices': [
    content('a') +
      content('b') +
      end() +
      chunk(undefined, {
        usage: {
          prompt_tokens: 10,
          completion_tokens: 6,
          prompt_tokens_details: { cached_tokens: 4 },
          completion_tokens_details: { reasoning_tokens: 5 },
        },
      }) +
      done,
    { usage: [6, 4, 1, 5], produced: 2 },
  ],
  // BerriAI/litellm 36168: cached tokens were priced as fresh ones when the last chunk had choices
  'usage on the last chunk with choices': [
    content('a') +
      end({ usage: { prompt_tokens: 10, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 9 } } }) +
      done,
    { usage: [1, 9, 1, null], produced: 1 },
  ],
  // gateway.md section 2: vLLM can send usage in two trailing chunks
  'usage in two trailing chunks': [
    content('a') +
      end() +
      chunk(undefined, { usage: { prompt_tokens: 10, prompt_tokens_details: { cached_tokens: 3 } } }) +
      chunk(undefined, { usage: { prompt_tokens: 10, completion_tokens: 7, prompt_tokens_details: null } }) +
      done,
    { usage: [7, 3, 7, null], produced: 1 },
  ],
  // BerriAI/litellm 37992: an explicit zero was taken for missing and replaced by an estimate
  'explicit zero': [
    content('a') +
      end() +
      chunk(undefined, { usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 } }) +
      done,
    { usage: [0, null, 0, null], produced: 1 },
  ],
  // gpustack 5189: no cached_tokens from vLLM
  'no details': [
    content('a') +
      end() +
      chunk(undefined, { usage: { prompt_tokens: 5, completion_tokens: 2, prompt_tokens_details: null } }) +
      done,
    { usage: [5, null, 2, null], produced: 1 },
  ],
  'no usage at all': [content('a') + end() + done, { usage: [null, null, null, null], produced: 1 }],
  'a part larger than its whole': [
    content('a') +
      end({
        usage: {
          prompt_tokens: 5,
          completion_tokens: 2,
          prompt_tokens_details: { cached_tokens: 8 },
          completion_tokens_details: { reasoning_tokens: 3 },
        },
      }),
    { usage: [0, 5, 0, 2], produced: 1 },
  ],
  'finish reason and no [DONE]': [content('a') + end(), { usage: [null, null, null, null], produced: 1 }],
  '[DONE] and no finish reason': [content('a') + done, { usage: [null, null, null, null], produced: 1 }],
  'neither: it broke off': [content('a'), { usage: [null, null, null, null], whole: false, produced: 1 }],
  'one of two choices finished': [
    chunk({ delta: { content: 'a' } }) +
      chunk({ index: 1, delta: { content: 'b' } }) +
      chunk({ index: 1, delta: {}, finish_reason: 'stop' }),
    { usage: [null, null, null, null], whole: false, produced: 2 },
  ],
  'reasoning and tool calls are content': [
    chunk({ delta: { role: 'assistant' } }) +
      chunk({ delta: { reasoning_content: 'hm' } }) +
      chunk({ delta: { tool_calls: [{ index: 0 }] } }) +
      chunk({ delta: { content: '', tool_calls: [] } }) +
      end() +
      done,
    { usage: [null, null, null, null], produced: 2 },
  ],
  'Azure: a first chunk without choices': [
    chunk(undefined, { prompt_filter_results: [] }) + content('a') + end() + done,
    { usage: [null, null, null, null], produced: 1 },
  ],
}

for (const [name, [text, expected]] of Object.entries(fixtures))
  test(`upstream stream: ${name}`, () => {
    let produced = 0
    const stream = new UpstreamStream('e', (told) => {
      produced += told.tokens
    })
    assert.equal(stream.push(Buffer.from(text)), undefined)
    const usage = stream.usage
    const count = (of: 'input_uncached' | 'cache_read' | 'output_visible' | 'reasoning') => usage?.[of]?.tokens ?? null
    assert.deepEqual(
      [count('input_uncached'), count('cache_read'), count('output_visible'), count('reasoning')],
      expected.usage,
    )
    assert.equal(stream.whole, expected.whole ?? true)
    assert.equal(produced, expected.produced)
  })

test('classes are disjoint and add up to what the upstream will charge', () => {
  const usage = usageOf({
    prompt_tokens: 100,
    completion_tokens: 50,
    prompt_tokens_details: { cached_tokens: 64 },
    completion_tokens_details: { reasoning_tokens: 40 },
  })
  assert(usage)
  assert.equal(inputTokens(usage), 100)
  assert.equal(outputTokens(usage), 50)
  for (const odd of [{ prompt_tokens: -1 }, { prompt_tokens: 1.5 }, { prompt_tokens: '7' }, {}])
    assert.equal(usageOf(odd), undefined)
  assert.deepEqual(mergeUsage({ a: 1, d: { x: 1, y: 2 } }, { a: null, d: { y: 3 }, c: 0 }), {
    a: 1,
    d: { x: 1, y: 3 },
    c: 0,
  })
})

test('an attempt that fails before its first content leaves no trace', () => {
  const told: unknown[] = []
  const stream = new UpstreamStream('e', (one) => told.push(one))
  stream.push(Buffer.from(chunk({ delta: { role: 'assistant', content: '' }, finish_reason: null })))
  const failure = stream.push(Buffer.from('data: {"error":{"message":"busy","code":503}}\n\n'))
  assert.equal(failure?.fault, 'overloaded')
  assert.deepEqual(told, [])
})
