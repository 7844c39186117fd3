import { type Command, InvalidArgumentError } from 'commander'
import { fields, type Row } from '../print.ts'
import { does, path, query, show } from '../run.ts'

interface Of {
  readonly tenant: string
  readonly only_credit: boolean
  readonly credits: readonly Row[]
}

interface Add {
  readonly promo?: boolean
  readonly id?: string
  readonly from?: string
  readonly expires?: string
  readonly note?: string
}

export function creditCommands(program: Command): void {
  const credits = program
    .command('credits')
    .description('what tenants paid in advance or were given: it pays their charges, gifts first')

  does<Add>(
    credits
      .command('add')
      .description('grant a credit: bought, and owed to the tenant until it is used; or, with --promo, given')
      .argument('<tenant>')
      .argument('<usd>', 'dollars, such as 500')
      .option('--promo', 'a gift, and never revenue')
      .option('--id <id>', 'such as the number of the invoice: granted once, however often it is sent')
      .option('--from <date>', 'such as 2027-01-31, on a whole hour (default: now)')
      .option('--expires <date>', 'such as 2027-12-31: from then on it pays nothing (default: never)')
      .option('--note <text>', 'why, for whoever reads the history'),
    async (factory, { promo, id, from, expires, note, ...options }, tenant, usd) => {
      const asked = { tenant, usd, kind: promo ? 'promo' : 'prepaid', id, from, expires, note }
      show(await factory.json('POST', '/api/credits', asked), options, ({ published: _, ...credit }: Row) =>
        fields(credit),
      )
      return undefined
    },
  )

  does<{ tenant?: string }>(
    credits.command('list').description('credits and what is left of each').option('--tenant <name>', 'of this tenant'),
    async (factory, { tenant, ...options }) => {
      const found = await factory.json('GET', `/api/credits${query({ tenant })}`)
      show(found, options, ({ tenants }: { tenants: Of[] }) =>
        tenants.flatMap((of) =>
          of.credits.map((credit) => ({ ...credit, only_credit: of.only_credit ? 'yes' : 'no' })),
        ),
      )
      return undefined
    },
  )

  does(
    credits
      .command('return')
      .description('end a credit: what is left of it when this hour is over goes back')
      .argument('<id>', 'as in the list'),
    async (factory, options, id = '') => {
      show(await factory.json('POST', path`/api/credits/${id}/return`), options, (credit: Row) => fields(credit))
      return undefined
    },
  )

  does(
    credits
      .command('only')
      .description('serve a tenant only for as long as its credit lasts (on), or whatever it asks for (off)')
      .argument('<tenant>')
      .argument('<on|off>', 'on or off', onOrOff),
    async (factory, options, tenant, only) => {
      const done = await factory.json('PUT', '/api/credits/only', { tenant, only: only === 'on' })
      show(done, options, ({ tenant, only_credit }: Of) => fields({ tenant, only_credit: only_credit ? 'yes' : 'no' }))
      return undefined
    },
  )
}

function onOrOff(text: string): string {
  if (text !== 'on' && text !== 'off') throw new InvalidArgumentError('Give on or off.')
  return text
}
