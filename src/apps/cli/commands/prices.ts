import type { Command } from 'commander'
import { type Imported, importView } from '../import-view.ts'
import { slimmed } from '../price-file.ts'
import { fields, type Row } from '../print.ts'
import { does, path, show } from '../run.ts'
import { warn } from '../talk.ts'
import { seconds, whole } from '../values.ts'

interface Price {
  readonly version: number
  readonly model: string
  /** Null: every class that has no price of its own. */
  readonly slo: string | null
  /** Null: the public list. */
  readonly tenant: string | null
  /** Null: every site that has no price of its own. */
  readonly site: string | null
  readonly refund: { readonly percent: number; readonly ttft_s: number } | null
  /** What an answer from the cache costs, of the price of the tokens that it spared. */
  readonly hit_percent: number
  readonly in_force: boolean
  readonly from: string
  readonly usd_per_million: Readonly<Record<string, string>>
  readonly note: string
}

interface Set {
  readonly input: string
  readonly output: string
  readonly cacheRead?: string
  readonly cacheWrite?: string
  readonly reasoning?: string
  readonly slo?: string
  readonly tenant?: string
  readonly site?: string
  readonly refundPercent?: number
  readonly refundTtft?: number
  readonly hitPercent?: number
  readonly from?: string
  readonly note?: string
}

interface Import {
  readonly only?: string
  readonly prefix?: string
  readonly tenant?: string
  readonly site?: string
  readonly engine?: string
  readonly from?: string
  readonly note?: string
  readonly yes?: boolean
}

export function priceCommands(program: Command): void {
  const prices = program.command('prices').description('prices, in dollars per million tokens')

  does<Set>(
    prices
      .command('set')
      .description('set a price: a new version, from now or a later day on')
      .argument('<model>')
      .requiredOption('--input <usd>', 'prompt tokens')
      .requiredOption('--output <usd>', 'answer tokens')
      .option('--cache-read <usd>', 'prompt tokens found in the cache (default: as input)')
      .option('--cache-write <usd>', 'prompt tokens written to the cache (default: as input)')
      .option('--reasoning <usd>', 'tokens of thought (default: as output)')
      .option('--slo <class>', 'only for requests of this class: interactive, standard or batch (default: all others)')
      .option('--tenant <name>', 'only for this tenant, before the public list (default: the public list)')
      .option('--site <name>', 'only for what is answered at this site (default: every site that has no other)')
      .option('--refund-percent <n>', 'what comes back of the charge when the first token of a stream is late', whole)
      .option('--refund-ttft <seconds>', 'later than this is late (default: as its class is promised)', seconds)
      .option(
        '--hit-percent <n>',
        'what an answer from the cache costs, of the price of its tokens (default: 0)',
        whole,
      )
      .option('--from <date>', 'such as 2027-01-31 (default: now)')
      .option('--note <text>', 'why, for whoever reads the history'),
    async (
      factory,
      { input, output, cacheRead, cacheWrite, reasoning, slo, tenant, site, from, note, ...options },
      model,
    ) => {
      const { refundPercent, refundTtft, hitPercent, ...rest } = options
      const asked = {
        model,
        input,
        output,
        cache_read: cacheRead,
        cache_write: cacheWrite,
        reasoning,
        slo,
        tenant,
        site,
        refund_percent: refundPercent,
        refund_ttft_s: refundTtft,
        hit_percent: hitPercent,
        from,
        note,
      }
      show(await factory.json('POST', '/api/prices', asked), rest, (price: Price) => fields(row(price)))
      return undefined
    },
  )

  does(prices.command('list').description('prices in force'), async (factory, options) => {
    show(await factory.json('GET', '/api/prices'), options, ({ prices }: { prices: Price[] }) => prices.map(row))
    return undefined
  })

  does(
    prices.command('history').description('all versions of a price, oldest first').argument('<model>'),
    async (factory, options, model = '') => {
      const history = await factory.json('GET', path`/api/prices/${model}`)
      show(history, options, ({ prices }: { prices: Price[] }) => prices.map(row))
      return undefined
    },
  )

  does<Import>(
    prices
      .command('import')
      .description('take prices from a table in the shape of LiteLLM’s; says what it would do, and does it with --yes')
      .argument('<file>', 'JSON: models by name, with input_cost_per_token and the like in US dollars')
      .option('--only <names>', 'names of the table, with * for any text (default: all)')
      .option('--prefix <text>', 'only names that begin so, such as groq/, and without it')
      .option('--tenant <name>', 'into the list of this tenant (default: the public list)')
      .option('--site <name>', 'only for what is answered at this site (default: every site)')
      .option('--engine <name>', 'as what this engine’s models cost, by their upstream names; no price changes')
      .option('--from <date>', 'such as 2027-01-31 (default: now)')
      .option('--note <text>', 'why, for whoever reads the history')
      .option('--yes', 'do it'),
    async (factory, { only, prefix, tenant, site, engine, from, note, yes, ...options }, file = '') => {
      const table = slimmed(file, only, prefix)
      const asked = { table, only, prefix, tenant, site, engine, from, note, dry_run: yes !== true }
      const done = (await factory.json('POST', '/api/prices/import', asked)) as Imported
      show(done, options, importView)
      if (done.dry_run && done.new + done.changed > 0) warn('nothing was changed: add --yes to do it')
      return undefined
    },
  )
}

const row = ({
  version,
  model,
  slo,
  tenant,
  site,
  refund,
  hit_percent,
  in_force,
  from,
  usd_per_million: usd,
  note,
}: Price): Row => ({
  model,
  version,
  slo: slo ?? 'all',
  tenant: tenant ?? 'all',
  site: site ?? 'all',
  in_force: in_force ? 'yes' : 'no',
  from,
  input: usd.input_uncached,
  cache_read: usd.cache_read,
  output: usd.output_visible,
  reasoning: usd.reasoning,
  refund: refund ? `${refund.percent} % beyond ${refund.ttft_s} s` : null,
  hits: hit_percent > 0 ? `${hit_percent} % of their tokens` : 'free',
  note,
})
