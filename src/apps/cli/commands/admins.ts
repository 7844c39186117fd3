import type { Command } from 'commander'
import { exitCodes } from '../exit.ts'
import { fields } from '../print.ts'
import { does, path, query, show } from '../run.ts'
import { whole } from '../values.ts'

interface Admin {
  readonly key?: string
  readonly id: string
  readonly name: string
  readonly prefix: string
  readonly role: string
  readonly tenant: string | null
  readonly state: string
  readonly expires: string | null
}

interface Change {
  readonly seq: number
  readonly at: string
  readonly who: string
  readonly action: string
  readonly kind: string
  readonly what: string
  readonly before: Readonly<Record<string, unknown>> | null
  readonly after: Readonly<Record<string, unknown>> | null
}

export function adminCommands(program: Command): void {
  const admins = program.command('admins').description('keys of the control API with a role: who may run the factory')

  does<{ role: string; tenant?: string; expires?: string }>(
    admins
      .command('create')
      .description('create a key of the control API; it is shown only now')
      .argument('<name>', 'whose it is, in words')
      .requiredOption('--role <role>', 'viewer (reads), operator (runs it) or admin (prices, upstreams, admin keys)')
      .option('--tenant <name>', 'the only tenant that it sees (default: the whole factory)')
      .option('--expires <when>', 'such as 30d, 12h or 2027-01-31 (default: never)'),
    async (factory, { role, tenant, expires, ...options }, name = '') => {
      const made = await factory.json('POST', '/api/admins', { name, role, tenant, expires })
      show(made, options, ({ key, ...rest }: Admin) => fields({ key, ...row(rest) }))
      return undefined
    },
  )

  does(
    admins.command('list').description('list keys of the control API, without the keys'),
    async (factory, options) => {
      show(await factory.json('GET', '/api/admins'), options, ({ admins }: { admins: Admin[] }) => admins.map(row))
      return undefined
    },
  )

  does(
    admins.command('revoke').description('stop a key and its sessions, at once').argument('<id>', 'its id'),
    async (factory, options, id = '') => {
      show(await factory.json('DELETE', path`/api/admins/${id}`), options, (key: Admin) => fields(row(key)))
      return undefined
    },
  )

  const changes = program.command('changes').description('the log of changes: who changed what, and when')

  does<{ limit?: number; before?: number; who?: string; kind?: string }>(
    changes
      .command('list')
      .description('the last changes, newest first')
      .option('--limit <n>', 'how many (default: 20)', whole)
      .option('--before <n>', 'only those before this number', whole)
      .option('--who <name>', 'only those of one key')
      .option('--kind <kind>', 'only those of one kind, such as key, price or engine'),
    async (factory, { limit, before, who, kind, ...options }) => {
      const found = await factory.json('GET', `/api/changes${query({ limit, before, who, kind })}`)
      show(found, options, ({ changes }: { changes: Change[] }) =>
        changes.map((change) => ({
          seq: change.seq,
          at: change.at,
          who: change.who,
          action: change.action,
          of: `${change.kind} ${change.what}`,
          change: words(change),
        })),
      )
      return undefined
    },
  )

  does(
    changes.command('check').description('whether the log is as it was written; exit code 6 when it is not'),
    async (factory, options) => {
      const chain = (await factory.json('GET', '/api/changes/check')) as { whole: boolean }
      show(chain, options, fields)
      return chain.whole ? exitCodes.ok.code : exitCodes.not_conserved.code
    },
  )
}

const row = ({ id, name, prefix, role, tenant, state, expires }: Admin) => ({
  id,
  name,
  prefix: `${prefix}…`,
  role,
  tenant: tenant ?? 'all',
  state,
  expires,
})

/** What differs, as `field: before → after`. */
function words({ before, after }: Change): string {
  if (!before || !after) return before ? 'removed' : after ? 'made' : ''
  return Object.keys(after)
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => `${field}: ${before[field]} → ${after[field]}`)
    .join(', ')
}
