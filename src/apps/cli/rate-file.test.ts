import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FieldError } from '../../units/field.ts'
import { rateLines } from './rate-file.ts'

test('rates of a file are taken as they are written; what is wrong is told with its line', () => {
  assert.deepEqual(rateLines('\ufeffday,rate\r\n2027-01-04,0.9234\r\n\r\n"2027-01-05", 0.92 \r\n'), [
    { day: '2027-01-04', rate: '0.9234' },
    { day: '2027-01-05', rate: '0.92' },
  ])
  const wrong: [string, RegExp][] = [
    ['', /line 1: the columns must be day,rate/],
    ['date,rate\n2027-01-04,1', /line 1/],
    ['day,rate\n', /there is no rate/],
    ['day,rate\n2027-01-04,0.9\n4.1.2027,0.9', /line 3/],
    ['day,rate\n2027-01-04,0.9,EUR', /line 2/],
    ['day,rate\n2027-01-04,NaN', /line 2/],
    ['day,rate\n2027-01-04,-1', /line 2/],
    ['day,rate\n2027-01-04,0.9\n\n2027-01-04,0.9', /line 4: 2027-01-04 stands in line 2 already/],
  ]
  for (const [text, message] of wrong)
    assert.throws(
      () => rateLines(text),
      (error: unknown) => error instanceof FieldError && message.test(error.message),
      text,
    )
})
