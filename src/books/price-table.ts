/** Price tables of hosted models, as the field keeps them (the shape of LiteLLM's model_prices_and_context_window.json). */
import type { Price } from '../units/amount.ts'
import { parseDecimal, price } from '../units/amount.ts'
import { isObject } from '../units/json.ts'
import type { PriceVersion } from './price.ts'
import { priceList } from './price.ts'
import type { SloClass } from './slo-class.ts'

/** A price of a table: for all classes of requests, or for one. */
export interface TablePrice extends Pick<PriceVersion, 'perMillion' | 'slo'> {
  /** As the table calls it. */
  readonly model: string
}

/** What was not taken of it, and why. */
export interface LeftOut {
  readonly why: string
  /** Field of the table; null: the model as a whole. */
  readonly field: string | null
  readonly models: readonly string[]
}

export interface PriceTable {
  readonly prices: readonly TablePrice[]
  readonly leftOut: readonly LeftOut[]
}

/** A table that cannot be read, and where. Nothing of it is taken. */
export class PriceTableError extends Error {
  override readonly name = 'PriceTableError'
}

/** The most that a price can be: a million dollars per million tokens; more is a slip of the decimal point. */
export const highestPrice = price(1_000_000n * 1_000_000_000n)

/** US dollars per token as decimal text, `7.5e-08` too → the price, exactly; `too_fine`: it has digits below a nano-dollar per million. */
export function parsePricePerToken(text: string): Price | 'too_fine' | undefined {
  if (text.length > 40) return undefined
  const exact = parseDecimal(text, 15) ?? (parseDecimal(text, 60) === undefined ? undefined : 'too_fine')
  if (exact === 'too_fine') return text.trim().startsWith('-') ? undefined : exact
  return exact === undefined || exact < 0n || exact > highestPrice ? undefined : price(exact)
}

type Raw = Partial<Record<'input' | 'output' | 'cache_read' | 'cache_write' | 'reasoning', Price>>

/** Field of a price by its name without the class of requests it ends in. */
const fields: Readonly<Record<string, keyof Raw>> = {
  input_cost_per_token: 'input',
  output_cost_per_token: 'output',
  cache_read_input_token_cost: 'cache_read',
  input_cost_per_token_cache_hit: 'cache_read', // its older name
  cache_creation_input_token_cost: 'cache_write',
  output_cost_per_reasoning_token: 'reasoning',
}

/** Batches are ours; what others call priority is what somebody waits for. */
const classes: readonly (readonly [suffix: string, slo: SloClass])[] = [
  ['_batches', 'batch'],
  ['_priority', 'interactive'],
]

const reasons: readonly (readonly [RegExp, string])[] = [
  [/_above_\d+k_tokens/, 'depends on how long a prompt is: no price here does'],
  [/_above_1hr/, 'depends on how long a prefix is kept: there is one class for what is written to a cache'],
  [/_flex$/, 'is for a class of requests that is not among ours: interactive, standard, batch'],
  [/cost/, 'is not by token of text'],
]

/**
 * Reads a table whole. `only` says which models are wanted. Numbers are taken from the text as they are written: a float of them would
 * be another price.
 */
export function readPriceTable(text: string, only: (model: string) => boolean): PriceTable {
  const prices: TablePrice[] = []
  const left = new Map<string, { why: string; field: string | null; models: string[] }>()
  const leave = (why: string, field: string | null, model: string): void => {
    const known = left.get(`${field} ${why}`)
    if (known) known.models.push(model)
    else left.set(`${field} ${why}`, { why, field, models: [model] })
  }
  for (const [model, entry] of Object.entries(entriesOf(text))) {
    if (!only(model)) continue
    if (!isObject(entry)) throw new PriceTableError(`${JSON.stringify(model)} is no object with its prices`)
    prices.push(...pricesOf(model, entry, leave))
  }
  return { prices, leftOut: [...left.values()].sort((a, b) => b.models.length - a.models.length) }
}

function pricesOf(
  model: string,
  entry: Readonly<Record<string, unknown>>,
  leave: (why: string, field: string | null, model: string) => void,
): TablePrice[] {
  const usual: Raw = {}
  const own = new Map<SloClass, Raw>()
  for (const [field, value] of Object.entries(entry)) {
    if (!field.includes('cost') || value === null) continue
    if (field === 'input_cost_per_token_cache_hit' && entry.cache_read_input_token_cost !== undefined) continue
    const [, slo] = classes.find(([suffix]) => field.endsWith(suffix)) ?? []
    const name = fields[slo ? field.slice(0, field.lastIndexOf('_')) : field]
    if (!name) {
      leave(reasons.find(([form]) => form.test(field))?.[1] ?? '', field, model)
      continue
    }
    const amount = typeof value === 'string' ? parsePricePerToken(value) : undefined
    if (amount === undefined)
      throw new PriceTableError(
        `${JSON.stringify(model)}, ${field}: ${JSON.stringify(value)?.slice(0, 60)} is no price in dollars per token (a decimal from 0 to 1)`,
      )
    if (amount === 'too_fine') {
      leave('has digits below a nano-dollar per million tokens: rounded, it would be another price', field, model)
      return []
    }
    if (!slo) usual[name] = amount
    else own.set(slo, { ...own.get(slo), [name]: amount })
  }
  // An embedding has no answer to be paid for.
  if (entry.mode === 'embedding' && usual.input !== undefined) usual.output ??= price(0n)
  const { input, output } = usual
  if (input === undefined || output === undefined) {
    leave('has no price per token of input and of output', null, model)
    return []
  }
  const listOf = (raw: Raw): PriceVersion['perMillion'] => priceList(raw.input ?? input, raw.output ?? output, raw)
  return [
    { model, perMillion: listOf(usual) },
    ...[...own].map(([slo, raw]) => ({ model, slo, perMillion: listOf({ ...usual, ...raw }) })),
  ]
}

/** Numbers stay text. Standard JSON has no NaN: where one stands, the text is no JSON, and the parser says where. */
function entriesOf(text: string): Readonly<Record<string, unknown>> {
  const keepText = (_: string, value: unknown, context?: { readonly source?: string }): unknown =>
    typeof value === 'number' ? (context?.source ?? String(value)) : value
  try {
    const value: unknown = JSON.parse(text, keepText)
    if (isObject(value)) return value
  } catch (cause) {
    throw new PriceTableError(
      cause instanceof Error ? cause.message.replace(/\s+/g, ' ').slice(0, 200) : 'is no JSON',
      { cause },
    )
  }
  throw new PriceTableError('the table is no JSON object of models by name')
}

/** The part of a table that its reader looks at, numbers as text: what has to be sent of a long one. */
export function slimTable(text: string, only: (model: string) => boolean): string {
  const wanted = Object.entries(entriesOf(text)).filter(([model]) => only(model))
  return JSON.stringify(Object.fromEntries(wanted), (name, value: unknown) =>
    typeof value === 'string' && name !== 'mode' && !name.includes('cost') ? undefined : value,
  )
}

/** Names with `*` for any text; letters of either case are the same. Takes the first place where each part fits, and never goes back. */
export function globOf(pattern: string): (name: string) => boolean {
  const [first = '', ...parts] = pattern.toLowerCase().split('*')
  const last = parts.pop()
  return (name) => {
    const text = name.toLowerCase()
    if (last === undefined) return text === first
    if (!text.startsWith(first)) return false
    let at = first.length
    for (const part of parts) {
      const found = text.indexOf(part, at)
      if (found < 0) return false
      at = found + part.length
    }
    return text.length - last.length >= at && text.endsWith(last)
  }
}
