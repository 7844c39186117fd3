import type { EngineAttempt, EngineCount, EngineLogFile, EngineRecord, Finding } from './records.ts'

/**
 * The engines' logs → what was made for each attempt: the `end` line's word where there is one, else begin + steps
 * (the engine died). Where both are there they must agree.
 */
export function addUp(files: readonly EngineLogFile[]): EngineRecord {
  const flaws: Finding[] = []
  const attempts = new Map<string, EngineAttempt>()
  const byHost = Map.groupBy(files, (file) => splitName(file.name).incarnation)
  for (const [incarnation, parts] of byHost) {
    const sorted = parts.toSorted((a, b) => splitName(a.name).number - splitName(b.name).number)
    sorted.forEach((file, index) => {
      if (splitName(file.name).number !== index)
        flaws.push(flaw(incarnation, `${file.name} follows, but file ${index} of the log is missing`))
      if (file.lines[0]?.log !== 'host') flaws.push(flaw(file.name, 'does not begin with its host line'))
    })
    addHost(
      sorted.flatMap((file) => file.lines),
      attempts,
      flaws,
    )
  }
  return { attempts, flaws }
}

const flaw = (subject: string, message: string): Finding => ({ kind: 'record', subject, message })

interface Seen {
  begun: boolean
  ended: EngineCount | undefined
  input_uncached: number
  cache_read: number
  output: number
}

function addHost(lines: EngineLogFile['lines'], attempts: Map<string, EngineAttempt>, flaws: Finding[]): void {
  const seen = new Map<string, Seen>()
  const of = (id: string): Seen => {
    const one = seen.get(id) ?? { begun: false, ended: undefined, input_uncached: 0, cache_read: 0, output: 0 }
    seen.set(id, one)
    return one
  }
  for (const line of lines) {
    if (line.log === 'begin') {
      if (of(line.id).begun) flaws.push(flaw(requestOf(line.id), `${line.id} begins twice`))
      Object.assign(of(line.id), { begun: true, input_uncached: line.input_uncached, cache_read: line.cache_read })
    }
    if (line.log === 'step') for (const [id, tokens] of line.made) of(id).output += tokens
    if (line.log === 'end') {
      if (of(line.id).ended) flaws.push(flaw(requestOf(line.id), `${line.id} ends twice`))
      of(line.id).ended = line.count
    }
  }
  const closed = lines.at(-1)?.log === 'close'
  for (const [id, one] of seen) {
    flaws.push(...contradictions(one, closed).map((message) => flaw(requestOf(id), `${id} ${message}`)))
    if (attempts.has(id)) flaws.push(flaw(requestOf(id), `${id} is in the logs of two engines`))
    const { input_uncached, cache_read, output } = one.ended ?? one
    attempts.set(id, { count: { input_uncached, cache_read, output } })
  }
}

/** What the lines of one attempt say against each other. A prompt may be cut short, so its end may hold less than its begin. */
function contradictions(one: Seen, closed: boolean): string[] {
  const found: string[] = []
  if (!one.ended && closed) found.push('has no end, though its engine closed the log')
  if (!one.begun && (one.output > 0 || (one.ended && one.ended.input_uncached + one.ended.cache_read > 0)))
    found.push('was worked on and never began')
  if (!one.ended) return found
  if (one.ended.output !== one.output)
    found.push(`made ${one.output} tokens in steps and ended with ${one.ended.output}`)
  if (one.ended.input_uncached > one.input_uncached) found.push('ended with more prompt than it began with')
  if (one.ended.cache_read > one.cache_read) found.push('ended with more cache than it began with')
  return found
}

const requestOf = (attempt: string): string => attempt.slice(0, attempt.lastIndexOf('/'))

/** `<incarnation>.<number>.ndjson`, or without number for a log that is one file. */
function splitName(name: string): { incarnation: string; number: number } {
  const parts = /^(.+?)(?:\.(\d+))?\.ndjson$/.exec(name)
  return { incarnation: parts?.[1] ?? name, number: Number(parts?.[2] ?? 0) }
}
