/** A line of a file that is not what it should be: with its number, and what to look at. */
export class WorkloadError extends Error {
  override readonly name = 'WorkloadError'
  readonly line: number

  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`)
    this.line = line
  }
}

/** A whole number of tokens in a field of a workload. */
export function countIn(value: unknown, field: string, line: number, least = 0): number {
  const count = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  if (typeof count === 'number' && Number.isSafeInteger(count) && count >= least) return count
  throw new WorkloadError(line, `${field} is ${JSON.stringify(value)}: a whole number of at least ${least} is needed`)
}
