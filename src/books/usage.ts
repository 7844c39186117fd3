import type { Tokens } from '../units/quantity.ts'
import { tokens } from '../units/quantity.ts'

/** Disjoint classes of token: together they are all that a request used, and no token is in two of them. */
export const tokenClasses = ['input_uncached', 'cache_read', 'cache_write', 'output_visible', 'reasoning'] as const
export type TokenClass = (typeof tokenClasses)[number]

/**
 * Who says so, best first: `engine` counted its own steps, `provider` put it on its answer, `counted` we counted the
 * chunks that passed, `estimated` we took it from sizes.
 */
export type Source = 'engine' | 'provider' | 'counted' | 'estimated'

export interface Count {
  readonly tokens: Tokens
  readonly source: Source
}

/** What one attempt used. `null` is *missing*, which is another thing than zero: a zero is priced, a missing one is not. */
export type Usage = { readonly [Class in TokenClass]: Count | null }

export const missingUsage: Usage = {
  input_uncached: null,
  cache_read: null,
  cache_write: null,
  output_visible: null,
  reasoning: null,
}

/** A usage all of whose figures come from one source; what is not given is missing. */
export function usageFrom(source: Source, counts: { readonly [Class in TokenClass]?: number | undefined }): Usage {
  const count = (value: number | undefined): Count | null =>
    value === undefined ? null : { tokens: tokens(value), source }
  return {
    input_uncached: count(counts.input_uncached),
    cache_read: count(counts.cache_read),
    cache_write: count(counts.cache_write),
    output_visible: count(counts.output_visible),
    reasoning: count(counts.reasoning),
  }
}

/** What `told` lacks is filled from `fallback`, class by class; what was told, a zero too, stays. */
export function filledFrom(told: Usage, fallback: Usage): Usage {
  const pick = (tokenClass: TokenClass): Count | null => told[tokenClass] ?? fallback[tokenClass]
  return {
    input_uncached: pick('input_uncached'),
    cache_read: pick('cache_read'),
    cache_write: pick('cache_write'),
    output_visible: pick('output_visible'),
    reasoning: pick('reasoning'),
  }
}

/** What is left of a usage without a part of it, class by class; sources stay. */
export function without(usage: Usage, part: Usage): Usage {
  const less = (of: TokenClass): Count | null => {
    const count = usage[of]
    return count && { ...count, tokens: tokens(Math.max(0, count.tokens - (part[of]?.tokens ?? 0))) }
  }
  return {
    input_uncached: less('input_uncached'),
    cache_read: less('cache_read'),
    cache_write: less('cache_write'),
    output_visible: less('output_visible'),
    reasoning: less('reasoning'),
  }
}

const sum = (usage: Usage, classes: readonly TokenClass[]): Tokens =>
  tokens(classes.reduce((total, tokenClass) => total + (usage[tokenClass]?.tokens ?? 0), 0))

export const inputTokens = (usage: Usage): Tokens => sum(usage, ['input_uncached', 'cache_read', 'cache_write'])
export const outputTokens = (usage: Usage): Tokens => sum(usage, ['output_visible', 'reasoning'])
export const totalTokens = (usage: Usage): Tokens => sum(usage, tokenClasses)
