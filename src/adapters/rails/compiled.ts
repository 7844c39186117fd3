import { RE2JS } from 're2js'
import type { Denied, Rail } from '../../lines/inference/rail.ts'
import { schemaCheck, wrongSchema } from './schema.ts'

/** A rail that can be asked. */
export interface CompiledRail {
  readonly rail: Rail
  readonly input: Finder | undefined
  readonly output: Finder | undefined
  /** Whether an answer satisfies the schema; undefined: none is asked for. */
  readonly satisfies: ((text: string) => boolean) | undefined
}

export interface Finder {
  /** Whether something denied stands in a text, given as it is searched. */
  (searched: string): boolean
  /** Bytes that it looks through; longer texts are refused instead, since the time it takes is the gateway's. */
  readonly mostBytes: number
  /** As many as they may be once they are as they are searched, and each counted as often as it is looked through. */
  readonly mostSearched: number
}

/** Letters that look alike are one; a text may be eleven times as many bytes then. */
export const asSearched = (text: string): string => text.normalize('NFKC')

export const bytesOf = (texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)

/** About 250,000 tokens. */
const longestText = 1024 * 1024
/**
 * Steps of all patterns × bytes of text in one search. One pattern takes a quarter of a second at this bound, many of them that all
 * make states which are never met again up to 1.2 s: `npm run bench:rails`.
 */
const mostWork = 20_000_000

const mostWords = 1000
const mostPatterns = 100
const longest = 500
/** Steps of a pattern: matching takes at worst this many looks for each character. */
const mostSteps = 500
const largestSchema = 64 * 1024

/** What is wrong with a rail, and where; undefined: it can be used. */
export function wrongRail({ input, output }: Pick<Rail, 'input' | 'output'>): Wrong | undefined {
  if (!input && !output) return { at: 'input', why: 'says neither what an input nor what an output must be' }
  for (const [side, one] of Object.entries({ input, output })) {
    if (!one) continue
    if (Object.values(one).every((value) => value === undefined)) return { at: side, why: 'is empty' }
    const wrong = wrongDenied(side, one)
    if (wrong) return wrong
  }
  if (!output?.schema) return undefined
  if (JSON.stringify(output.schema).length > largestSchema)
    return { at: 'output.schema', why: `is larger than ${largestSchema} bytes` }
  const why = wrongSchema(output.schema)
  return why === undefined ? undefined : { at: 'output.schema', why }
}

export interface Wrong {
  readonly at: string
  readonly why: string
}

function wrongDenied(side: string, { words = [], patterns = [] }: Denied): Wrong | undefined {
  if (words.length > mostWords) return { at: `${side}.words`, why: `has more than ${mostWords} words` }
  if (patterns.length > mostPatterns) return { at: `${side}.patterns`, why: `has more than ${mostPatterns} patterns` }
  const word = words.findIndex((one) => one.trim() === '' || one.length > longest)
  if (word >= 0) return { at: `${side}.words[${word}]`, why: `is not 1 to ${longest} characters` }
  for (const [index, pattern] of patterns.entries()) {
    const why = wrongPattern(pattern)
    if (why) return { at: `${side}.patterns[${index}]`, why }
  }
  return undefined
}

function wrongPattern(pattern: string): string | undefined {
  if (pattern === '' || pattern.length > longest) return `is not 1 to ${longest} characters`
  try {
    const compiled = RE2JS.compile(pattern)
    if (compiled.programSize() > mostSteps) return `takes ${compiled.programSize()} steps; ${mostSteps} is the most`
    return compiled.test('') ? 'matches everything' : undefined
  } catch (cause) {
    return `is no pattern of RE2: ${cause instanceof Error ? cause.message : String(cause)}`
  }
}

/** Each rail is compiled once per snapshot, when it is first needed. */
const known = new WeakMap<Rail, CompiledRail>()

/** Throws when the rail cannot be used: then nothing passes it. */
export function compiled(rail: Rail): CompiledRail {
  const found = known.get(rail)
  if (found) return found
  const { input, output } = rail
  const made = {
    rail,
    input: input && finder(input),
    output: output && finder(output),
    satisfies: output?.schema && schemaCheck(output.schema),
  }
  known.set(rail, made)
  return made
}

function finder({ words = [], patterns = [] }: Denied): Finder | undefined {
  const denied = patterns.map((pattern) => RE2JS.compile(pattern))
  if (words.length > 0) {
    const any = words.map((word) => RE2JS.quote(asSearched(word))).join('|')
    denied.push(RE2JS.compile(`(?i)(?:${any})`))
  }
  if (denied.length === 0) return undefined
  const has = (searched: string): boolean => denied.some((one) => one.test(searched))
  // Words, and patterns that begin with fixed text, are looked for as such, and take no steps where that is not found.
  const steps = patterns.reduce((sum, pattern) => sum + RE2JS.compile(pattern).programSize(), 0)
  const mostSearched = steps === 0 ? Number.POSITIVE_INFINITY : Math.floor(mostWork / steps)
  return Object.assign(has, { mostBytes: Math.min(longestText, mostSearched), mostSearched })
}
