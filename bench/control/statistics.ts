export const mean = (values: readonly number[]): number => values.reduce((sum, one) => sum + one, 0) / values.length

/** 97.5 % quantiles of Student's t by degrees of freedom 1 … 30; beyond, the normal one. */
const t975 = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
]

/** Mean of paired differences with the half-width of its 95 % interval. */
export function paired(a: readonly number[], b: readonly number[]): { mean: number; half: number } {
  const differences = a.map((value, index) => value - (b[index] ?? Number.NaN))
  const middle = mean(differences)
  const variance = differences.reduce((sum, one) => sum + (one - middle) ** 2, 0) / (differences.length - 1)
  return { mean: middle, half: (t975[differences.length - 2] ?? 1.96) * Math.sqrt(variance / differences.length) }
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}
