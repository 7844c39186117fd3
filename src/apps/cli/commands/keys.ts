import type { Command } from 'commander'
import { fields } from '../print.ts'
import { does, path, query, show } from '../run.ts'
import { list, whole } from '../values.ts'

interface Key {
  readonly key?: string
  readonly id: string
  readonly prefix: string
  readonly tenant: string
  readonly app: string
  readonly models: readonly string[] | null
  readonly rpm: number | null
  readonly tpm: number | null
  readonly slo: string
  readonly state: string
  readonly expires: string | null
}

export function keyCommands(program: Command): void {
  const keys = program.command('keys').description('API keys: who may ask, for what, how much')

  does<{
    tenant: string
    app?: string
    models?: string[]
    expires?: string
    rpm?: number
    tpm?: number
    budgetUsd?: string
    slo?: string
  }>(
    keys
      .command('create')
      .description('create a key; it is shown only now')
      .requiredOption('--tenant <name>', 'who pays; made when new')
      .option('--app <name>', 'the application of the tenant; made when new (default: "default")')
      .option('--models <names>', 'models it may ask for, with commas between them (default: all)', list)
      .option('--expires <when>', 'such as 30d, 12h or 2027-01-31 (default: never)')
      .option('--rpm <n>', 'requests per minute (default: no limit)', whole)
      .option('--tpm <n>', 'tokens per minute (default: no limit)', whole)
      .option('--slo <class>', 'interactive, standard or batch (default: standard)')
      .option('--budget-usd <amount>', 'dollars that it may spend in all (default: no limit)'),
    async (factory, { tenant, app, models, expires, rpm, tpm, budgetUsd, slo, ...options }) => {
      const asked = { tenant, app, models, expires, rpm, tpm, slo, budget_usd: budgetUsd }
      const key = await factory.json('POST', '/api/keys', asked)
      show(key, { ...options }, ({ key, ...rest }: Key) => fields({ key, ...row(rest) }))
      return undefined
    },
  )

  does<{ tenant?: string }>(
    keys.command('list').description('list keys, without the keys').option('--tenant <name>', 'only those of a tenant'),
    async (factory, { tenant, ...options }) => {
      show(await factory.json('GET', `/api/keys${query({ tenant })}`), options, ({ keys }: { keys: Key[] }) =>
        keys.map(row),
      )
      return undefined
    },
  )

  does(
    keys.command('revoke').description('stop a key, at once').argument('<id>', 'its id, or its first characters'),
    async (factory, options, id = '') => {
      show(await factory.json('DELETE', path`/api/keys/${id}`), options, (key: Key) => fields(row(key)))
      return undefined
    },
  )

  does<{ overlap?: string }>(
    keys
      .command('rotate')
      .description('a new key with the same rights; the old one stops')
      .argument('<id>', 'its id, or its first characters')
      .option('--overlap <time>', 'let the old key go on for so long, such as 24h'),
    async (factory, { overlap, ...options }, id = '') => {
      const key = await factory.json('POST', path`/api/keys/${id}/rotate`, { overlap })
      show(key, options, ({ key, ...rest }: Key) => fields({ key, ...row(rest) }))
      return undefined
    },
  )
}

const row = ({ id, prefix, tenant, app, models, rpm, tpm, slo, state, expires }: Key) => ({
  id,
  prefix: `${prefix}…`,
  tenant,
  app,
  models: models ?? 'all',
  rpm,
  tpm,
  slo,
  state,
  expires,
})
