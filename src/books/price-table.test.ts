import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatDecimal } from '../units/amount.ts'
import { globOf, PriceTableError, parsePricePerToken, readPriceTable, slimTable } from './price-table.ts'

const all = (): boolean => true
const read = (table: object | string) => readPriceTable(typeof table === 'string' ? table : JSON.stringify(table), all)

for (const [text, perMillion] of [
  ['7.5e-08', '0.075'],
  ['7.5E-8', '0.075'],
  ['0.000000075', '0.075'],
  ['5.46875e-07', '0.546875'],
  ['1e-15', '0.000000001'],
  ['0.0', '0'],
  ['1', '1000000'],
  ['5.714000000000001e-06', 'too_fine'],
  ['1e-16', 'too_fine'],
  ['1.0000001', undefined],
  ['1e99', undefined],
  ['1e999', undefined],
  ['1e-999', undefined],
  ['-1e-06', undefined],
  ['-1e-16', undefined],
  ['NaN', undefined],
  ['Infinity', undefined],
  ['0x10', undefined],
  ['', undefined],
  ['9'.repeat(41), undefined],
] as const)
  test(`${JSON.stringify(text.slice(0, 30))} dollars per token are ${perMillion} per million`, () => {
    const value = parsePricePerToken(text)
    assert.equal(typeof value === 'bigint' ? formatDecimal(value, 9) : value, perMillion)
  })

test('classes of token and of requests are taken, what is not named follows the usual price', () => {
  const { prices, leftOut } = read(`{"m": {
    "mode": "chat", "input_cost_per_token": 1e-06, "output_cost_per_token": 6e-06,
    "cache_read_input_token_cost": 1e-07, "output_cost_per_reasoning_token": 8e-06,
    "input_cost_per_token_batches": 5e-07, "output_cost_per_token_batches": 3e-06,
    "input_cost_per_token_priority": 2e-06, "cache_read_input_token_cost_priority": 2e-07,
    "input_cost_per_token_above_200k_tokens": 2e-06, "input_cost_per_token_above_200k_tokens_priority": 4e-06,
    "input_cost_per_token_flex": 5e-07, "input_cost_per_audio_token": 1e-05}}`)
  assert.deepEqual(
    prices.map(({ slo, perMillion }) => [slo, ...Object.values(perMillion).map((each) => formatDecimal(each, 9))]),
    [
      [undefined, '1', '0.1', '1', '6', '8'],
      ['batch', '0.5', '0.1', '0.5', '3', '8'],
      ['interactive', '2', '0.2', '2', '6', '8'],
    ],
  )
  assert.deepEqual(leftOut.map(({ field }) => field).sort(), [
    'input_cost_per_audio_token',
    'input_cost_per_token_above_200k_tokens',
    'input_cost_per_token_above_200k_tokens_priority',
    'input_cost_per_token_flex',
  ])
  assert(leftOut.every(({ why }) => why.length > 0))
})

test('a model without a price per token is left out; an embedding has no output', () => {
  const { prices, leftOut } = read({
    seconds: { mode: 'chat', input_cost_per_second: 0.001 },
    half: { mode: 'chat', input_cost_per_token: '1e-06' },
    vector: { mode: 'embedding', input_cost_per_token: '1e-07' },
    older: { input_cost_per_token: '1e-06', output_cost_per_token: '1e-06', input_cost_per_token_cache_hit: '1e-07' },
    fine: { mode: 'chat', input_cost_per_token: '1e-17', output_cost_per_token: '1e-06' },
  })
  assert.deepEqual(
    prices.map(({ model, perMillion: each }) => [model, each.input_uncached, each.cache_read, each.output_visible]),
    [
      ['vector', 100_000_000n, 100_000_000n, 0n],
      ['older', 1_000_000_000n, 100_000_000n, 1_000_000_000n],
    ],
  )
  const whole = leftOut.filter(({ field }) => field === null).flatMap(({ models }) => models)
  assert.deepEqual(whole, ['seconds', 'half'])
})

for (const [what, table, says] of [
  ['a negative price', '{"m": {"input_cost_per_token": -1e-06}}', /"m", input_cost_per_token: "-1e-06" is no price/],
  ['NaN', '{"m": {"input_cost_per_token": NaN}}', /not valid JSON|Unexpected token/],
  ['an overflow', '{"m": {"output_cost_per_token": 1e400}}', /"m", output_cost_per_token: "1e400"/],
  ['a huge exponent', '{"m": {"output_cost_per_token": 1e99}}', /"1e99"/],
  ['a price that is no number', '{"m": {"input_cost_per_token": true}}', /true is no price/],
  ['a model that is a number', '{"m": 7}', /"m" is no object/],
  ['a list', '[]', /no JSON object/],
  ['half a table', '{"m": {"input', /JSON/],
] as const)
  test(`${what} is refused with its place, and nothing of the table is taken`, () => {
    assert.throws(
      () => read(table),
      (error) => error instanceof PriceTableError && says.test(error.message),
    )
  })

test('what is sent of a table is read as the table is', () => {
  const text =
    '{"a": {"mode": "embedding", "input_cost_per_token": 7.5e-08, "provider": "x", "max_input_tokens": 8}, "b": {"input_cost_per_token": 1e-6}}'
  const slim = slimTable(text, globOf('A*'))
  assert.deepEqual(readPriceTable(slim, all), readPriceTable(text, globOf('a')))
  assert.equal(slim, '{"a":{"mode":"embedding","input_cost_per_token":"7.5e-08"}}')
})

for (const [pattern, name, fits] of [
  ['*', 'anything/at:all', true],
  ['gpt-*', 'gpt-4o', true],
  ['gpt-*', 'azure/gpt-4o', false],
  ['*/gpt-*-mini', 'azure/gpt-5.4-mini', true],
  ['*/gpt-*-mini', 'azure/gpt-mini', false],
  ['a*a', 'a', false],
  ['a.b', 'aXb', false],
  ['GPT-4O', 'gpt-4o', true],
] as const)
  test(`${pattern} ${fits ? 'fits' : 'does not fit'} ${name}`, () => {
    assert.equal(globOf(pattern)(name), fits)
  })
