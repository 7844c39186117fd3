/**
 * How much of a chip's peak real kernels reach, and what talking to neighbours costs.
 *
 * Medians over vLLM's kernels in the operator tables of github.com/ai-dynamo/aiconfigurator@095f58a (Apache-2.0): GEMM in
 * bf16 and fp8 for 4096 rows and more, GEMM bandwidth for 16 rows and less, attention over more than 200 MB, all-reduce
 * over 8 neighbours (4 for GB200).
 */
export interface Efficiency {
  /** Share of peak FLOP/s in large matrix products; `null`: the chip has no such format, or nobody measured. */
  readonly gemm: { readonly bf16: number; readonly fp8: number | null }
  /** Share of peak bandwidth while weights are read. */
  readonly weights: number
  /** Share of peak bandwidth while decode attention reads keys and values. */
  readonly keysValues: number
  /** Share of peak FLOP/s in prefill attention. */
  readonly attention: number
  readonly allReduce: { readonly bytesPerSecond: number; readonly latency_s: number } | null
}

const row = (
  bf16: number,
  fp8: number | null,
  weights: number,
  keysValues: number,
  attention: number,
  [gigabytes, latency_us]: readonly [number, number],
): Efficiency => ({
  gemm: { bf16, fp8 },
  weights,
  keysValues,
  attention,
  allReduce: { bytesPerSecond: gigabytes * 1e9, latency_s: latency_us * 1e-6 },
})

const measured: Readonly<Record<string, Efficiency>> = {
  'a100-40': row(0.85, null, 0.68, 0.68, 0.55, [222, 22]),
  'a100-80': row(0.85, null, 0.68, 0.68, 0.55, [222, 22]),
  'h100-sxm': row(0.77, 0.54, 0.82, 0.79, 0.58, [445, 16]),
  h200: row(0.74, 0.61, 0.75, 0.73, 0.57, [460, 17]),
  b200: row(0.71, 0.43, 0.69, 0.77, 0.52, [704, 26]),
  gb200: row(0.73, 0.46, 0.73, 0.79, 0.51, [628, 16]),
  l40s: row(0.6, 0.46, 0.8, 0.73, 0.44, [1, 26]),
  'rtx-pro-6000-server': row(0.84, 0.8, 0.8, 0.77, 0.58, [25, 26]),
}

/** Middle of the measured ones, for a chip that nobody measured. */
const assumed: Efficiency = { ...row(0.74, 0.5, 0.75, 0.77, 0.55, [200, 22]), allReduce: null }

/** Efficiency of a chip's kernels, and whether anybody measured it. */
export const efficiencyOf = (chip: string): { readonly of: Efficiency; readonly from: 'measured' | 'assumed' } => {
  const of = measured[chip]
  return of ? { of, from: 'measured' } : { of: assumed, from: 'assumed' }
}
