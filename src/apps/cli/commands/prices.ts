import type { Command } from 'commander'
import { fields, type Row } from '../print.ts'
import { does, path, show } from '../run.ts'
import { seconds, whole } from '../values.ts'

interface Price {
  readonly version: number
  readonly model: string
  /** Null: every class that has no price of its own. */
  readonly slo: string | null
  readonly refund: { readonly percent: number; readonly ttft_s: number } | null
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
  readonly refundPercent?: number
  readonly refundTtft?: number
  readonly from?: string
  readonly note?: string
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
      .option('--refund-percent <n>', 'what comes back of the charge when the first token of a stream is late', whole)
      .option('--refund-ttft <seconds>', 'later than this is late (default: as its class is promised)', seconds)
      .option('--from <date>', 'such as 2027-01-31 (default: now)')
      .option('--note <text>', 'why, for whoever reads the history'),
    async (factory, { input, output, cacheRead, cacheWrite, reasoning, slo, from, note, ...options }, model) => {
      const { refundPercent, refundTtft, ...rest } = options
      const asked = {
        model,
        input,
        output,
        cache_read: cacheRead,
        cache_write: cacheWrite,
        reasoning,
        slo,
        refund_percent: refundPercent,
        refund_ttft_s: refundTtft,
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
}

const row = ({ version, model, slo, refund, in_force, from, usd_per_million: usd, note }: Price): Row => ({
  model,
  version,
  slo: slo ?? 'all',
  in_force: in_force ? 'yes' : 'no',
  from,
  input: usd.input_uncached,
  cache_read: usd.cache_read,
  output: usd.output_visible,
  reasoning: usd.reasoning,
  refund: refund ? `${refund.percent} % beyond ${refund.ttft_s} s` : null,
  note,
})
