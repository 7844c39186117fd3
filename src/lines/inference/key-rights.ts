import type { SloClass } from '../../books/slo-class.ts'
import { sloClasses } from '../../books/slo-class.ts'

/** What a key lets its holder do; null: without a limit. */
export interface KeyRights {
  readonly application: string
  readonly models: readonly string[] | null
  readonly requests_per_minute: number | null
  readonly tokens_per_minute: number | null
  readonly expires_ms: number | null
  readonly slo: SloClass
}

/** Each right with the question whether `asked` has more of it than `own`; the names are those of the API's fields. */
const more = {
  models: ({ models: own }, { models: asked }) =>
    own !== null && (asked === null || asked.some((model) => !own.includes(model))),
  rpm: (own, asked) => above(own.requests_per_minute, asked.requests_per_minute),
  tpm: (own, asked) => above(own.tokens_per_minute, asked.tokens_per_minute),
  expires: (own, asked) => above(own.expires_ms, asked.expires_ms),
  slo: (own, asked) => sloClasses.indexOf(asked.slo) < sloClasses.indexOf(own.slo),
} as const satisfies Record<string, (own: KeyRights, asked: KeyRights) => boolean>

export type KeyRight = keyof typeof more | 'app'

/**
 * The first right of which a key would have more than the key that makes it; undefined: it has none more. An application that has
 * budgets or guard rails of its own keeps its keys to itself (`bound`), or a key of another one would be the way around them.
 */
export function exceeding(own: KeyRights, asked: KeyRights, bound: boolean): KeyRight | undefined {
  if (bound && asked.application !== own.application) return 'app'
  return (Object.keys(more) as (keyof typeof more)[]).find((right) => more[right](own, asked))
}

const above = (own: number | null, asked: number | null): boolean => own !== null && (asked === null || asked > own)
