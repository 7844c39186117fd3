import type { Figure, Source } from './contract.ts'

/** A number of an answer that has no figures, as one. */
export const figureOf = (
  value: number | null | undefined,
  unit: string,
  source: Source | null | undefined,
): Figure => ({ value: value ?? null, unit, source: value === null || value === undefined ? null : (source ?? null) })
