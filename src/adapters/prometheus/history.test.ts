import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { stepValues } from './history.ts'
import { ScrapeError } from './scrape.ts'

const steps = { first_ms: 100_000, last_ms: 115_000 }
const matrix = (...series: unknown[]): string =>
  JSON.stringify({ status: 'success', data: { resultType: 'matrix', result: series } })
const read = (text: string) => stepValues(text, 'http://h', steps, 5000)

test('one number a step: series that follow each other, missing steps, and what is none', () => {
  const answers: readonly (readonly [
    title: string,
    text: string,
    values: readonly (readonly [number, number])[],
    trouble?: RegExp,
  ])[] = [
    [
      'whole',
      matrix({
        metric: {},
        values: [
          [100, '1'],
          [105, '2.5'],
          [110, '3'],
          [115, '4'],
        ],
      }),
      [
        [100, 1],
        [105, 2.5],
        [110, 3],
        [115, 4],
      ],
    ],
    ['nothing', matrix(), []],
    [
      'missing steps',
      matrix({
        values: [
          [105, '2'],
          [115, '4'],
        ],
      }),
      [
        [105, 2],
        [115, 4],
      ],
    ],
    [
      'one ends, another begins',
      matrix(
        { metric: { pod: 'b' }, values: [[110, '9']] },
        {
          metric: { pod: 'a' },
          values: [
            [100, '1'],
            [105, '2'],
          ],
        },
      ),
      [
        [100, 1],
        [105, 2],
        [110, 9],
      ],
    ],
    [
      'two at once',
      matrix(
        {
          values: [
            [100, '1'],
            [105, '2'],
          ],
        },
        {
          values: [
            [105, '3'],
            [110, '4'],
          ],
        },
      ),
      [
        [100, 1],
        [110, 4],
      ],
      /gives 2 series at 1970-01-01T00:01:45.000Z, not one: put sum/,
    ],
    [
      'NaN',
      matrix({
        values: [
          [100, 'NaN'],
          [105, '5'],
        ],
      }),
      [[105, 5]],
      /gives NaN at/,
    ],
    [
      'negative and infinite',
      matrix({
        values: [
          [100, '-1'],
          [105, '+Inf'],
          [110, ''],
        ],
      }),
      [],
      /at 1970/,
    ],
    [
      'off the steps, or outside',
      matrix({
        values: [
          [101, '1'],
          [95, '1'],
          [120, '1'],
          [110, '7'],
        ],
      }),
      [[110, 7]],
    ],
  ]
  for (const [title, text, values, trouble] of answers) {
    const found = read(text)
    assert.deepEqual(
      found.values.map(({ at_ms, value }) => [at_ms / 1000, value]),
      values,
      title,
    )
    if (trouble) assert.match(found.trouble ?? '', trouble, title)
    else assert.equal(found.trouble, undefined, title)
  }
})

test('an answer that is none is an error that says why', () => {
  for (const [text, why] of [
    ['<html>', /no JSON/],
    ['null', /failed/],
    [JSON.stringify({ status: 'error', error: 'exceeded maximum resolution' }), /failed: exceeded maximum resolution/],
    [JSON.stringify({ status: 'success', data: { resultType: 'vector', result: [] } }), /gives a vector over time/],
    [matrix({ values: [['x', 1]] }), /form that Prometheus does not have/],
    [matrix({ histograms: [[1, {}]] }), /form that Prometheus does not have/],
    [matrix(null), /form that Prometheus does not have/],
  ] as const)
    assert.throws(
      () => read(text),
      (error) => error instanceof ScrapeError && error.fault === 'bad_reply' && why.test(error.message),
      text,
    )
})

test('whatever is answered, it is values of the steps or an error of the source', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.json(),
        fc.jsonValue().map((result) => matrix(result)),
        fc.string(),
      ),
      (text) => {
        try {
          const { values } = read(text)
          assert(
            values.every(
              ({ at_ms, value }) => at_ms >= 100_000 && at_ms <= 115_000 && at_ms % 5000 === 0 && value >= 0,
            ),
          )
        } catch (error) {
          assert(error instanceof ScrapeError, String(error))
        }
      },
    ),
  )
})
