import type { Command } from 'commander'
import { fields } from '../print.ts'
import { does, path, show } from '../run.ts'

interface Preset {
  readonly name: string
  readonly also: string | null
  readonly title: string
  readonly hosted: boolean
  readonly url: string | null
  readonly key: { readonly header: string; readonly env: string | null }
  readonly metrics: string | null
  readonly renames: Readonly<Record<string, string>>
  readonly refuses: readonly string[]
  readonly does: Readonly<Record<string, string>>
  readonly notes: readonly string[]
  readonly sources: readonly string[]
  readonly list_prices?: {
    readonly as_of: string
    readonly source: string
    readonly usd_per_million: Readonly<Record<string, { input: string; output: string; cache_read?: string }>>
  } | null
}

export const presetsCommand = (engines: Command): Command =>
  does(
    engines
      .command('presets')
      .description('engines and hosted APIs that are known: address, key, what differs, list prices')
      .argument('[name]', 'one of them, in full'),
    async (factory, options, name) => {
      if (name === undefined) {
        const listed = await factory.json('GET', '/api/presets')
        show(listed, options, ({ presets }: { presets: Preset[] }) => presets.map(row))
      } else show(await factory.json('GET', path`/api/presets/${name}`), options, whole)
      return undefined
    },
  )

const row = ({ name, title, url, key, metrics }: Preset) => ({ name, title, url, key: key.env, metrics })

function whole({ key, renames, does, list_prices, notes, sources, ...preset }: Preset): string[] {
  const prices = Object.entries(list_prices?.usd_per_million ?? {})
  return [
    ...fields({
      ...preset,
      key: `${key.header}${key.env === null ? '' : `, from ${key.env}`}`,
      renames: Object.entries(renames).map(([from, to]) => `${from} → ${to}`),
      does: Object.entries(does).map(([check, saw]) => `${check}: ${saw}`),
      list_prices: prices.length === 0 ? null : `${prices.length} models, of ${list_prices?.as_of}`,
    }),
    ...notes.map((note) => `- ${note}`),
    ...sources.map((source) => `source: ${source}`),
    ...(list_prices ? [`source: ${list_prices.source}, ${list_prices.as_of}`] : []),
    ...prices.map(([model, { input, output, cache_read }]) => {
      const cached = cache_read === undefined ? '' : `, cached ${cache_read}`
      return `  ${model}: $${input} in, $${output} out${cached} per million tokens`
    }),
  ]
}
