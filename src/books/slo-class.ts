/** How soon somebody waits for the answer: a person, a program, or nobody just now. */
export const sloClasses = ['interactive', 'standard', 'batch'] as const
export type SloClass = (typeof sloClasses)[number]
