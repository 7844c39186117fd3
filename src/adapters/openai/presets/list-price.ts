import { fireworks, openrouter } from './prices/catalogues.ts'
import { baseten, cerebras, deepinfra, groq, together } from './prices/open-models.ts'
import { azure, openai } from './prices/openai.ts'

/** What a hosted model costs by its provider's list: US dollars per million tokens, as decimal text. */
export interface ListPrice {
  readonly input: string
  readonly output: string
  /** Prompt tokens read from a cache, where they have a price of their own. */
  readonly cache_read?: string
}

/** Where the lists come from, and of which day they are: prices change, and these do not change by themselves. */
export const pricesAsOf = '2026-08-01'
export const pricesSource = 'BerriAI/litellm model_prices_and_context_window.json (MIT)'

const lists: Readonly<Record<string, string>> = {
  azure,
  baseten,
  cerebras,
  deepinfra,
  fireworks: fireworks.replaceAll('~', 'accounts/fireworks/models/'),
  groq,
  openai,
  openrouter,
  together,
}

const read = new Map<string, ReadonlyMap<string, ListPrice>>()

/** The list of a preset by its id: its models by the provider's own names; empty: none is known. */
export function listPricesOf(preset: string): ReadonlyMap<string, ListPrice> {
  const known = read.get(preset)
  if (known) return known
  const text = Object.hasOwn(lists, preset) ? (lists[preset] ?? '') : ''
  const prices = new Map(text.trim().split('\n').flatMap(line))
  read.set(preset, prices)
  return prices
}

function line(text: string): [string, ListPrice][] {
  const [prices = '', models = ''] = text.split(' | ')
  const [input, output, cache_read] = prices.split(' ')
  if (input === undefined || output === undefined) return []
  return models.split(' ').map((model) => [model, { input, output, ...(cache_read !== undefined && { cache_read }) }])
}

/** In words, with what sets it as the price that tenants pay. */
export function priceHint(title: string, model: string, { input, output, cache_read }: ListPrice): string {
  const cached = cache_read === undefined ? '' : ` --cache-read ${cache_read}`
  return `${title} lists ${model} at $${input} in and $${output} out per million tokens (${pricesAsOf}): wattmill prices set ${model} --input ${input} --output ${output}${cached}`
}
