import type { foretold } from '../operator/forecasts.ts'
import { fields, table } from './print.ts'

/** What is over, what is expected, and between what that lies. */
export function forecastView({ lines, interval, ...head }: ReturnType<typeof foretold>): string[] {
  return [
    ...fields(head),
    '',
    ...table(
      lines.map((line) =>
        line.verdict === 'forecast'
          ? {
              measure: line.measure,
              so_far: rounded(line.so_far),
              expected: rounded(line.expected),
              [`${100 * interval}_%_from`]: rounded(line.low),
              to: rounded(line.high),
              tested: `${line.backtest.stretches} × ${line.backtest.hours_each} h: ${
                line.backtest.coverage === null ? '-' : `${Math.round(100 * line.backtest.coverage)} % held`
              }`,
            }
          : {
              measure: line.measure,
              so_far: rounded(line.so_far),
              expected: `too little is known: ${line.hours_known} of ${line.hours_needed} hours`,
            },
      ),
    ),
  ]
}

const rounded = (value: number): number => Number(value.toPrecision(6))
