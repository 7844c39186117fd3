import type { Integers } from '../database/database.ts'

const boolean = 16
const whole = new Set([20, 21, 23, 26])
const decimal = 1700
const floating = new Set([700, 701])

/** A value as SQLite would give it: integers as asked, truth as 1 or 0, all else text. */
export function readAs(text: string | null, type: number, integers: Integers): null | number | bigint | string {
  if (text === null) return null
  if (whole.has(type)) return integers === 'bigint' ? BigInt(text) : Number(text)
  if (type === decimal) return integers === 'bigint' && /^-?\d+$/.test(text) ? BigInt(text) : Number(text)
  if (floating.has(type)) return Number(text)
  if (type !== boolean) return text
  const truth = text === 't' ? 1 : 0
  return integers === 'bigint' ? BigInt(truth) : truth
}
