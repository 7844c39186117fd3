/** What the stages of the line hand to each other. */

/** A message and what it asks for. */
export interface Labelled {
  readonly text: string
  readonly label: string
}

/** What is trained on, what sets the stated confidence, and what only judges. */
export interface Dataset {
  readonly train: readonly Labelled[]
  readonly calibrate: readonly Labelled[]
  readonly test: readonly Labelled[]
  /** Rows that said the same as an earlier one. */
  readonly dropped: number
}
