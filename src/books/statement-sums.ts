import { nanoDollars } from '../units/amount.ts'
import type { Findings } from './check.ts'
import type { PriceVersion } from './price.ts'
import type { CloseRow } from './row.ts'
import type { StatementPart } from './statement-part.ts'
import { statementPartsOf } from './statement-part.ts'

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
    const { tenant, slot, application, model, price_version, site, cause, class: tokenClass } = part
    const name = key(tenant, slot, application, model, price_version, site, cause, tokenClass)
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

const hoursOfDay = 24

/** What is kept by hour comes to what requests, kept whole or rolled up, say by day; of days that are summed from their first hour on. */
export function auditSums(
  findings: Findings,
  days: Pick<StatementSums, 'parts' | 'requests'>,
  hours: { readonly parts: Iterable<SummedPart>; readonly requests: Iterable<SummedRequests> },
  fromHour: number,
): void {
  const rest = new Map<string, bigint>()
  const add = (name: string, amount: bigint | number): void =>
    void rest.set(name, (rest.get(name) ?? 0n) + BigInt(amount))
  const addPart = (part: SummedPart, day: number, sign: bigint): void => {
    const { tenant, application, model, price_version, site, cause, class: of } = part
    const name = key(tenant, day, application, model, price_version, site, cause, of)
    add(`${name} requests`, sign * BigInt(part.requests))
    add(`${name} tokens`, sign * BigInt(part.tokens))
    add(`${name} nano-USD`, sign * part.amount)
  }
  const addRequests = ({ tenant, requests, missing }: SummedRequests, day: number, sign: bigint): void => {
    add(`${key(tenant, day)} requests`, sign * BigInt(requests))
    add(`${key(tenant, day)} missing`, sign * BigInt(missing))
  }
  const summed = (day: number): boolean => day * hoursOfDay >= fromHour
  for (const part of days.parts.values()) if (summed(part.slot)) addPart(part, part.slot, 1n)
  for (const each of days.requests.values()) if (summed(each.slot)) addRequests(each, each.slot, 1n)
  const dayOf = ({ slot }: { readonly slot: number }): number => Math.floor(slot / hoursOfDay)
  for (const part of hours.parts) if (summed(dayOf(part))) addPart(part, dayOf(part), -1n)
  for (const each of hours.requests) if (summed(dayOf(each))) addRequests(each, dayOf(each), -1n)
  for (const [name, amount] of rest)
    if (amount !== 0n) findings.add('statement', name, `its requests and its hours differ by ${amount}`)
}
