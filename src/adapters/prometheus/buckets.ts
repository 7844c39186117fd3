/** Bounds of histograms. Prescribed by OpenTelemetry's GenAI conventions where they are; longer or finer where said. */

/** 0.01 s doubled up to 81.92 s as prescribed; long answers of small machines go on to 655 s. */
export const requestSeconds = Array.from({ length: 17 }, (_, n) => 0.01 * 2 ** n)

export const firstTokenSeconds = [0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10]

export const outputTokenSeconds = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5]

/** Small models give a token in 2 ms: the prescribed bounds begin too late for them. */
export const gapSeconds = [0.001, 0.0025, 0.005, ...outputTokenSeconds]

/** Powers of 4 up to 67,108,864. */
export const usageTokens = Array.from({ length: 14 }, (_, n) => 4 ** n)
