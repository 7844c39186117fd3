import { nanoDollars } from '../units/amount.ts'
import type { PriceVersion } from './price.ts'
import type { CloseRow } from './row.ts'
import type { StatementPart } from './statement.ts'
import { statementPartsOf } from './statement.ts'

/** What a tenant's requests that were settled in a slot put on its statement, as one part by price, cause and class. */
export interface SummedPart extends StatementPart {
  readonly tenant: string
  /** Slots counted from 1970, UTC: days or hours. */
  readonly slot: number
}

export interface SummedRequests {
  readonly tenant: string
  readonly slot: number
  readonly requests: number
  /** Of these, with a count that is missing. */
  readonly missing: number
}

/**
 * Statements add up: the sums of slots make the same statement, to the last nano-dollar, as the requests that were settled in them,
 * since each request's charge is rounded before it is added.
 */
export class StatementSums {
  readonly parts = new Map<string, SummedPart>()
  readonly requests = new Map<string, SummedRequests>()
  readonly #slot_ms: number

  constructor(slot_ms: number) {
    this.#slot_ms = slot_ms
  }

  add(row: CloseRow, price: PriceVersion | undefined): void {
    const { tenant } = row
    const slot = Math.floor(row.closed_ms / this.#slot_ms)
    const { parts, missing } = statementPartsOf(row, price)
    this.count({ tenant, slot, requests: 1, missing: missing ? 1 : 0 })
    for (const part of parts) this.part({ ...part, tenant, slot })
  }

  count({ tenant, slot, requests, missing }: SummedRequests): void {
    const name = key(tenant, slot)
    const known = this.requests.get(name) ?? { requests: 0, missing: 0 }
    this.requests.set(name, {
      tenant,
      slot,
      requests: known.requests + requests,
      missing: known.missing + missing,
    })
  }

  part(part: SummedPart): void {
    const { tenant, slot, application, model, price_version, cause, class: tokenClass } = part
    const name = key(tenant, slot, application, model, price_version, cause, tokenClass)
    const known = this.parts.get(name)
    this.parts.set(name, {
      ...part,
      requests: (known?.requests ?? 0) + part.requests,
      tokens: (known?.tokens ?? 0) + part.tokens,
      amount: nanoDollars((known?.amount ?? 0n) + part.amount),
    })
  }
}

const key = (...parts: readonly (string | number | null)[]): string => JSON.stringify(parts)
