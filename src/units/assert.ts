/** We are wrong: stop here rather than post a wrong number. Our own five lines, so that the pure rooms also run in a browser. */
export function assert(condition: unknown, law: string): asserts condition {
  if (!condition) throw new Error(`broken law: ${law}`)
}

/** The `default` of a switch whose cases the compiler has counted. */
export function never(value: never): never {
  throw new Error(`broken law: no such case ${JSON.stringify(value)}`)
}
