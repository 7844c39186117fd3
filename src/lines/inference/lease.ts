import type { AllowanceUnit } from '../../books/allowance.ts'

/**
 * What gateways and the keeper of allowances say to each other. A gateway holds *leases*: parts of an allowance that it may
 * spend by itself. All leases together never exceed the allowance, so nothing that gateways do at the same time can overspend it.
 */
export interface LeaseAsk {
  readonly allowance: string
  readonly period: number
  /** Leased, and neither spent nor reserved; below zero: a rate that was overdrawn. */
  readonly free: bigint
  /** Reserved by requests under way. */
  readonly reserved: bigint
  /** Given back with this question: it is free no more. */
  readonly returned: bigint
  /** Requests wait for so much. */
  readonly want: bigint
  /** So much more will be wanted soon, at the pace of the last seconds. */
  readonly ahead: bigint
}

export interface LeaseGrant {
  readonly allowance: string
  readonly period: number
  readonly amount: bigint
  /** What is left for all, after this. */
  readonly left: bigint
  /** There is no more, and nobody holds what could still come back before it renews. */
  readonly exhausted: boolean
  /** When asking again may help; null: not before it renews, or never. */
  readonly retry_ms: number | null
}

/** Leases of which others are short: what is free of them should be given back. */
export interface Recall {
  readonly allowance: string
  readonly period: number
}

/** A part of an allowance that a request holds while it is under way. */
export interface Hold {
  readonly allowance: string
  readonly period: number
  readonly unit: AllowanceUnit
  amount: bigint
}
