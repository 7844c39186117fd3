import type { Watts } from '../../units/quantity.ts'
import type { Demand } from './load.ts'

/** What a load is held to. */
export interface Setting {
  readonly load: string
  /** Requests at once, by engine. */
  readonly engines: ReadonlyMap<string, number>
  /** Of its device; null: not held. */
  readonly power: Watts | null
}

export interface LimitState {
  readonly name: string
  readonly limit: Watts
  /** The lowest limit of the time that is looked ahead: the plan keeps to it. */
  readonly ahead: Watts
  /** Expected under the set-points at the most, with what is reserved. */
  readonly planned: Watts
  /** Of it what is counted at the most that it can draw: nobody can turn it down, or its meter is silent. */
  readonly reserved: Watts
  /** By the meters now, with what is reserved. */
  readonly drawn: Watts
  /** Taken off the plan because meters showed more than was expected. */
  readonly correction: Watts
  /** It keeps something from doing all that it could. */
  readonly binds: boolean
}

/** What an operator must know; `watts` are those that are out of our hands by it. */
export type CapAlarm = { readonly watts: Watts } & (
  | {
      /** `silent`: its meter says nothing; `unknown`: nobody says what it can draw; `deaf`: it did not take its power limit. */
      readonly kind: 'silent' | 'unknown' | 'deaf'
      readonly load: string
    }
  | {
      /** `impossible`: with everything turned down it is still more; `over`: the meters show more than the limit. */
      readonly kind: 'impossible' | 'over'
      readonly limit: string
    }
)

interface Plan {
  /** Of loads that may do less than they could. */
  readonly settings: readonly Setting[]
  /** Requests of these wait until there is power again: they lose least by it. */
  readonly held: readonly Pick<Demand, 'model' | 'slo'>[]
}

/** For a time that is to come. */
export interface Foreseen extends Plan {
  readonly from_ms: number
  readonly until_ms: number
}

export interface CapDecision extends Plan {
  readonly at_ms: number
  readonly limits: readonly LimitState[]
  readonly alarms: readonly CapAlarm[]
}
