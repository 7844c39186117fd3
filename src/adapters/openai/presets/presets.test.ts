import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { usageOf } from '../../../lines/inference/wire-usage.ts'
import { parseDecimal } from '../../../units/amount.ts'
import { checkIds } from '../survey/finding.ts'
import { listPricesOf } from './list-price.ts'
import { newLimit, oldLimit } from './preset.ts'
import { adapted, keyHeader, withPlainUsage } from './quirks.ts'
import { findPreset, presetNames, presetOf, presets, unknownEngine } from './table.ts'

test('every preset that is promised is there, once, with an address, a rule for its key and its sources', () => {
  const promised =
    'vllm sglang tensorrt-llm dynamo llama-server ollama lm-studio fireworks together deepinfra baseten groq cerebras openai azure openrouter anthropic'
  for (const name of promised.split(' ')) assert(findPreset(name), name)
  assert.equal(new Set(presetNames).size, presetNames.length)
  for (const preset of presets) {
    const { id, url, urlForm, hosted, key, sources, request, does } = preset
    assert((url ?? urlForm)?.match(hosted ? /^https:\/\// : /^http:\/\/127\.0\.0\.1:\d+\/v1$/), id)
    assert(!/\/$/.test(url ?? ''), `${id}: no slash at the end`)
    assert(sources.length > 0, `${id} cites nothing`)
    assert.equal(key.needed, hosted, id)
    assert(!hosted || /^[A-Z_]+_KEY$/.test(key.env ?? ''), id)
    const renamed = Object.entries(request.rename)
    assert(
      renamed.every(([from, to]) => from !== to && !(to in request.rename)),
      `${id} renames in a circle`,
    )
    for (const check of Object.keys(does)) assert((checkIds as readonly string[]).includes(check), `${id}: ${check}`)
  }
})

test('who is not known is spoken to as OpenAI says', () => {
  for (const name of [null, undefined, '', 'nobody', '__proto__', 'constructor'])
    assert.equal(presetOf(name), unknownEngine)
  assert.equal(presetOf('llama-server').id, 'llama.cpp')
})

test('a key goes into the header that is wanted, and only there', () => {
  assert.deepEqual(keyHeader({ header: 'api-key' }, 'k'), { 'api-key': 'k' })
  assert.deepEqual(keyHeader({ header: 'authorization' }, 'k'), { authorization: 'Bearer k' })
  assert.deepEqual(keyHeader({ header: 'api-key' }, undefined), {})
})

test('a limit keeps its value under the name that is obeyed; of two the newer counts', () => {
  const to = (rename: Record<string, string>, body: object): unknown => adapted({ ...body }, { rename, refuses: [] })
  assert.deepEqual(to(oldLimit, { max_completion_tokens: 5 }), { max_tokens: 5 })
  assert.deepEqual(to(oldLimit, { max_completion_tokens: 5, max_tokens: 9 }), { max_tokens: 5 })
  assert.deepEqual(to(oldLimit, { max_completion_tokens: null, max_tokens: 9 }), { max_tokens: 9 })
  assert.deepEqual(to(newLimit, { max_tokens: 9 }), { max_completion_tokens: 9 })
  assert.deepEqual(to(newLimit, { max_completion_tokens: 5, max_tokens: 9 }), { max_completion_tokens: 5 })
  assert.deepEqual(to(newLimit, { max_completion_tokens: null, max_tokens: 9 }), { max_completion_tokens: 9 })
  assert.deepEqual(to({}, { max_completion_tokens: 5 }), { max_completion_tokens: 5 })
})

test('of what an engine refuses only that is left out which asks for nothing', () => {
  const refuses = ['logprobs', 'logit_bias', 'frequency_penalty', 'parallel_tool_calls', 'service_tier']
  const of = (body: object): unknown => adapted({ ...body }, { rename: {}, refuses })
  const nothing = {
    logprobs: false,
    logit_bias: {},
    frequency_penalty: 0,
    parallel_tool_calls: true,
    service_tier: 'auto',
  }
  assert.deepEqual(of({ ...nothing, n: 1 }), { n: 1 })
  assert.deepEqual(of(Object.fromEntries(refuses.map((field) => [field, null]))), {})
  const something = { logprobs: true, logit_bias: { 7: 1 }, frequency_penalty: 0.5, service_tier: 'flex' }
  assert.deepEqual(of(something), something)
})

test('an answer without quirks passes as it is, to the same object', () => {
  const chunk = { usage: { prompt_tokens: 4, completion_tokens: 2, prompt_tokens_details: { cached_tokens: 1 } } }
  for (const { usage } of presets.filter(({ usage }) => Object.keys(usage).length === 1))
    assert.equal(withPlainUsage(chunk, usage), chunk)
  assert.deepEqual(withPlainUsage({ choices: [] }, { at: 'x_groq.usage', includesCached: true }), { choices: [] })
})

test('cached tokens that stand beside the prompt are counted into it, and no token is lost or doubled', () => {
  const tokens = fc.nat({ max: 1_000_000 })
  fc.assert(
    fc.property(tokens, tokens, tokens, tokens, (uncached, cached, visible, reasoning) => {
      const inclusive = {
        prompt_tokens: uncached + cached,
        completion_tokens: visible + reasoning,
        prompt_tokens_details: { cached_tokens: cached },
        completion_tokens_details: { reasoning_tokens: reasoning },
      }
      const exclusive = {
        prompt_tokens: uncached,
        completion_tokens: visible + reasoning,
        hits: { read: cached },
        thought: reasoning,
      }
      const quirks = { includesCached: false, cached: 'hits.read', reasoning: 'thought' }
      const { usage } = withPlainUsage({ usage: exclusive }, quirks) as { usage: object }
      const sum = (report: object): unknown[] => {
        const found = usageOf({ ...report })
        return [found?.input_uncached, found?.cache_read, found?.output_visible, found?.reasoning].map(
          (one) => one?.tokens ?? 0,
        )
      }
      assert.deepEqual(sum(usage), sum(inclusive))
    }),
  )
})

test('an empty zero at the top does not hide a count that is nested', () => {
  const report = {
    prompt_tokens: 4,
    completion_tokens: 9,
    reasoning_tokens: 0,
    completion_tokens_details: { reasoning_tokens: 6 },
  }
  const { usage } = withPlainUsage({ usage: report }, { includesCached: true, reasoning: 'reasoning_tokens' }) as {
    usage: object
  }
  assert.equal(usageOf({ ...usage })?.reasoning?.tokens, 6)
})

test('list prices are exact decimals of known presets, and a token from a cache costs no more than another', () => {
  const priced = presets.filter(({ id }) => listPricesOf(id).size > 0)
  assert.deepEqual(
    priced.map(({ id }) => id).sort(),
    presets
      .filter(({ hosted, api }) => hosted && api === 'openai')
      .map(({ id }) => id)
      .sort(),
  )
  for (const { id } of priced)
    for (const [model, { input, output, cache_read }] of listPricesOf(id)) {
      const [one, other, cached = one] = [input, output, cache_read ?? input].map((text) => parseDecimal(text, 9))
      assert(one !== undefined && other !== undefined && cached !== undefined, `${id} ${model}`)
      assert(one <= 1_000_000_000_000n && cached <= one, `${id} ${model}: ${input}, cached ${cache_read}`)
    }
  assert.deepEqual(listPricesOf('groq').get('openai/gpt-oss-120b'), {
    input: '0.15',
    output: '0.6',
    cache_read: '0.075',
  })
  assert.equal(listPricesOf('nobody').size, 0)
  assert.equal(listPricesOf('constructor').size, 0)
})
