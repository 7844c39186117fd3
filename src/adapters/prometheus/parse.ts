/** One line of another system's metrics page. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A large engine's page has some 2,000 lines; with per-GPU and per-link series of a node some 10,000. */
const mostSamples = 50_000

/**
 * Prometheus' text format 0.0.4 and OpenMetrics, as far as samples go: names, labels, values. Types are not needed, since the
 * mapping tables know them; timestamps and exemplars are passed over. A line that is none is counted and left out: one bad
 * line of a page of thousands is no reason to know nothing.
 */
export function parseMetrics(text: string): { readonly samples: readonly Sample[]; readonly bad: number } {
  const samples: Sample[] = []
  let bad = 0
  for (const line of lines(text)) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('#')) continue
    if (samples.length >= mostSamples) break
    const sample = parseLine(trimmed)
    if (sample) samples.push(sample)
    else bad++
  }
  return { samples, bad }
}

function* lines(text: string): Generator<string> {
  for (let at = 0; at < text.length; ) {
    const end = text.indexOf('\n', at)
    yield text.slice(at, end < 0 ? text.length : end)
    at = end < 0 ? text.length : end + 1
  }
}

const nameForm = /^[a-zA-Z_:][a-zA-Z0-9_:]*/

function parseLine(line: string): Sample | undefined {
  const name = nameForm.exec(line)?.[0]
  if (!name) return undefined
  const open = line.slice(name.length).trimStart()
  const labelled = open.startsWith('{') ? parseLabels(open) : { labels: {}, rest: open }
  if (!labelled) return undefined
  const [number = ''] = labelled.rest.trim().split(/\s+/)
  const value = parseNumber(number)
  return value === undefined ? undefined : { name, labels: labelled.labels, value }
}

/** No two neighbours of it can take the same character: a hostile line takes no longer than any other of its length. */
const labelForm = /^([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"/

/** From the opening brace to the closing one; label values may hold braces and quotes of their own. */
function parseLabels(text: string): { labels: Record<string, string>; rest: string } | undefined {
  const labels: Record<string, string> = {}
  let rest = afterComma(text.slice(1))
  for (let found = labelForm.exec(rest); found; found = labelForm.exec(rest)) {
    const [whole, name = '', value = ''] = found
    if (name !== '__proto__') labels[name] = unescaped(value)
    rest = afterComma(rest.slice(whole.length))
  }
  return rest.startsWith('}') ? { labels, rest: rest.slice(1) } : undefined
}

function afterComma(text: string): string {
  const next = text.trimStart()
  return next.startsWith(',') ? next.slice(1).trimStart() : next
}

const unescaped = (text: string): string =>
  text.replace(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter))

const words: Readonly<Record<string, number>> = {
  nan: Number.NaN,
  inf: Number.POSITIVE_INFINITY,
  '+inf': Number.POSITIVE_INFINITY,
  '-inf': Number.NEGATIVE_INFINITY,
}

function parseNumber(text: string): number | undefined {
  const word = words[text.toLowerCase()]
  if (word !== undefined) return word
  return /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/.test(text) ? Number(text) : undefined
}
