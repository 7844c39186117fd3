/** What somebody took → the accounts of cost that bear it, and with which weight. */
import type { StepCoefficients, StepWork } from '../plant/energy/step-energy.ts'
import { apportion } from '../units/amount.ts'
import type { AttemptId } from '../units/ids.ts'
import { attemptId } from '../units/ids.ts'
import type { Account } from './account.ts'
import { accounts } from './account.ts'
import { causeOf } from './bearer.ts'
import type { CloseRow } from './row.ts'
import type { TokenClass, Usage } from './usage.ts'
import { inputTokens, outputTokens } from './usage.ts'

export interface Bearing {
  readonly to: Account
  readonly weight: bigint
}

/** The parts of an attempt's classes add up to it. */
const whole = 1_000_000_000n

/** An attempt's weight, on its tenant by class of token, or on its waste. */
export function bearingsOf(
  row: CloseRow | undefined,
  attempt: AttemptId,
  weight: bigint,
  did?: StepWork,
  coefficients?: StepCoefficients,
): Bearing[] {
  const cause = causeOf(row, attempt)
  if (cause || !row) return [{ to: accounts.wasteCost(cause ?? 'foreign'), weight: weight * whole }]
  const usage = row.attempts.find(({ number }) => attemptId(row.id, number) === attempt)?.usage
  return classParts(usage, did, coefficients).flatMap(([tokenClass, part]) =>
    part === 0n ? [] : { to: accounts.usageCost(row, tokenClass), weight: weight * part },
  )
}

/** What bears all of a weight that is nobody's. */
export const bearing = (to: Account, weight: bigint): Bearing => ({ to, weight: weight * whole })

/**
 * Prompt tokens that were evaluated and tokens that were sampled, by what each cost as far as that is learned, else by their
 * number. What was read from the cache was not computed and has no part; what the batch had in common follows the two.
 */
function classParts(
  usage: Usage | undefined,
  did: StepWork | undefined,
  coefficients: StepCoefficients | undefined,
): [TokenClass, bigint][] {
  const count = (of: TokenClass): number => usage?.[of]?.tokens ?? 0
  const [prefill, decode] = sides(usage, did, coefficients)
  const [input = 0n, output = 0n] = apportion(whole, [prefill, decode])
  const inner = (amount: bigint, classes: readonly [TokenClass, TokenClass]): [TokenClass, bigint][] => {
    const [first, second] = classes
    const counts = [BigInt(count(first)), BigInt(count(second))]
    const parts = apportion(amount, counts.every((n) => n === 0n) ? [1n, 0n] : counts)
    return [
      [first, parts[0] ?? 0n],
      [second, parts[1] ?? 0n],
    ]
  }
  return [...inner(input, ['input_uncached', 'cache_write']), ...inner(output, ['output_visible', 'reasoning'])]
}

function sides(
  usage: Usage | undefined,
  did: StepWork | undefined,
  coefficients: StepCoefficients | undefined,
): [bigint, bigint] {
  if (did && coefficients) {
    const prefill = did.prefill * coefficients.prefill + did.prefill_context * coefficients.prefill_context
    const decode = did.decode * coefficients.decode + did.kv_read * coefficients.kv_read
    const sum = prefill + decode
    if (sum > 0) return [BigInt(Math.round((prefill / sum) * 1e9)), BigInt(Math.round((decode / sum) * 1e9))]
  }
  if (did && did.prefill + did.decode > 0) return [BigInt(did.prefill), BigInt(did.decode)]
  const computed = usage ? inputTokens(usage) - (usage.cache_read?.tokens ?? 0) : 0
  const made = usage ? outputTokens(usage) : 0
  return computed + made > 0 ? [BigInt(computed), BigInt(made)] : [1n, 0n]
}
