import { type Command, InvalidArgumentError } from 'commander'
import { fields, type Row } from '../print.ts'
import { does, path, query, show } from '../run.ts'

interface Terms {
  readonly version: number
  readonly kind: string
  readonly tenant: string | null
  readonly state: string
  readonly model: string | null
  readonly class: string | null
  readonly tokens?: string
  readonly usd?: string
  readonly by?: string
  readonly tiers?: readonly Tier[]
  readonly from: string
  readonly note: string
  readonly notice?: string
}

interface Tier {
  readonly from: string
  readonly percent: string
}

interface Declared {
  readonly tenant?: string
  readonly model?: string
  readonly class?: string
  readonly tokens?: string
  readonly usd?: string
  readonly by?: string
  readonly tier?: readonly Tier[]
  readonly from?: string
  readonly note?: string
}

export function termsCommands(program: Command): void {
  const terms = program
    .command('terms')
    .description('free quotas, prices by tier or volume, and commitments: worked out by the month, hour by hour')

  does<Declared>(
    dated(
      terms
        .command('free')
        .description('so many tokens, or so many dollars of charges, are free each month')
        .option('--tenant <name>', 'of this tenant (default: of all that have none of their own)')
        .option('--model <name>', 'of this model (default: of all others)')
        .option('--class <class>', 'of tokens of this class, such as output_visible (default: of all)')
        .option('--tokens <n>', 'how many tokens')
        .option('--usd <amount>', 'or how many dollars'),
    ),
    (factory, options) => declare(factory, 'free', options),
  )

  does<Declared>(
    dated(
      terms
        .command('tiers')
        .description('a part of the price is taken off, by how much the month used')
        .argument(
          '<graduated|volume>',
          'each tier for what is used within it; or the tier that is reached, for all of the month',
          kindOf,
        )
        .requiredOption(
          '--tier <from=percent>',
          'from so many tokens or dollars on, such as 1000000=10; again and again',
          tiers,
        )
        .option('--by <tokens|usd>', 'what is counted: tokens, or dollars charged (default: tokens)')
        .option('--tenant <name>', 'of this tenant (default: of all that have none of their own)')
        .option('--model <name>', 'of this model (default: of all others)'),
    ),
    (factory, options, kind = '') => declare(factory, kind, options),
  )

  does<Declared>(
    dated(
      terms
        .command('commit')
        .description(
          'a month comes to so many dollars at least: what it lacks is charged at its end, and no credit pays it',
        )
        .argument('<tenant>')
        .argument('<usd>', 'dollars a month, such as 500'),
    ),
    (factory, options, tenant, usd) =>
      declare(factory, 'commitment', { ...options, ...(tenant && { tenant }), ...(usd && { usd }) }),
  )

  does<{ from?: string }>(
    terms
      .command('end')
      .description('end terms: from the next hour on, a commitment with this month')
      .argument('<version>', 'as in the list')
      .option('--from <date>', 'such as 2027-01-31, on a whole hour'),
    async (factory, { from, ...options }, version = '') => {
      show(await factory.json('POST', path`/api/terms/${version}/end`, { from }), options, (made: Terms) =>
        fields(row(made)),
      )
      return undefined
    },
  )

  does<{ tenant?: string; all?: boolean }>(
    terms
      .command('list')
      .description('terms in force and to come')
      .option('--tenant <name>', 'of this tenant, with those of all tenants')
      .option('--all', 'all versions, those too that are replaced or ended'),
    async (factory, { tenant, all, ...options }) => {
      const found = (await factory.json('GET', `/api/terms${query({ tenant })}`)) as { terms: Terms[] }
      const shown = all ? found.terms : found.terms.filter(({ state }) => state === 'in force' || state === 'later')
      show({ terms: shown }, options, () => shown.map(row))
      return undefined
    },
  )
}

const dated = (command: Command): Command =>
  command
    .option('--from <date>', 'such as 2027-01-31, on a whole hour (default: now; a commitment with the next month)')
    .option('--note <text>', 'why, for whoever reads the history')

type Action = Parameters<typeof does<Declared>>[1]

async function declare(
  factory: Parameters<Action>[0],
  kind: string,
  { tenant, model, class: of, tokens, usd, by, tier, from, note, ...options }: Parameters<Action>[1],
): Promise<undefined> {
  const asked = { kind, tenant, model, class: of, tokens, usd, by, tiers: tier, from, note }
  show(await factory.json('POST', '/api/terms', asked), options, (made: Terms) =>
    fields({ ...row(made), notice: made.notice }),
  )
  return undefined
}

function tiers(text: string, before: readonly Tier[] = []): Tier[] {
  const [, from, percent] = /^([^=]+)=([^=%]+)%?$/.exec(text) ?? []
  if (from === undefined || percent === undefined)
    throw new InvalidArgumentError('Give FROM=PERCENT, such as 1000000=10.')
  return [...before, { from, percent }]
}

function kindOf(text: string): string {
  if (text !== 'graduated' && text !== 'volume') throw new InvalidArgumentError('Give graduated or volume.')
  return text
}

const row = ({ version, kind, tenant, state, model, class: of, from, note, ...agreed }: Terms): Row => ({
  version,
  kind,
  tenant: tenant ?? 'all',
  state,
  model: model ?? 'all',
  class: of ?? 'all',
  agreed: inWords(agreed),
  from,
  note,
})

function inWords({ tokens, usd, by, tiers = [] }: Pick<Terms, 'tokens' | 'usd' | 'by' | 'tiers'>): string {
  if (tokens !== undefined) return `${tokens} tokens`
  if (usd !== undefined) return `${usd} USD`
  const unit = by === 'usd' ? 'USD' : 'tokens'
  return tiers.map(({ from, percent }) => `from ${from} ${unit} −${percent} %`).join(', ')
}
