import type { Engine, Figures, Floor, Machine, Model, Source, Status } from '../lib/contract.ts'
import type { Node } from './layout.ts'

/** A box of the picture: what it is, one number, and where its page is. */
export interface Thing extends Node {
  readonly title: string
  readonly value: number | null
  readonly unit: string
  readonly note: string
  readonly source: Source | null
  /** `quiet`: there, and nothing to do; `unknown`: we cannot see it. */
  readonly state: 'busy' | 'quiet' | 'down' | 'unknown'
  readonly href: string
}

/** What the operator told of the factory. */
export interface Seen {
  readonly floor: Floor
  readonly status: Status
  readonly engines: readonly Engine[]
  readonly models: readonly Model[]
  /** As it describes itself; not known at once. */
  readonly machine: Machine | undefined
}

export const figure = (figures: Figures, name: string): number | null => figures[name]?.value ?? null
