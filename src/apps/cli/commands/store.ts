import type { Command } from 'commander'
import { home as homeAt } from '../../../adapters/files/home.ts'
import { backUp, migrateStore, moveStore, restoreStore } from '../../operator/place-store.ts'
import { fields, type Row } from '../print.ts'
import { type Common, guarded, show } from '../run.ts'
import { talk } from '../talk.ts'

export function storeCommands(program: Command): void {
  const store = program.command('store').description('where registry and books are kept')
  const move = store
    .command('move')
    .description('all of the store to PostgreSQL or back into the file of the home, while the factory is stopped')
    .requiredOption('--to <address>', 'postgres://USER@HOST:PORT/DATABASE, whose schema is empty; or file')
  move.action(() =>
    guarded(async () => {
      const { home, to, ...options } = move.optsWithGlobals<Common & { to: string }>()
      const moved = moveStore(homeAt(home), to === 'file' ? undefined : to)
      show(moved, { home, ...options }, movedView)
      return 0
    }),
  )
  const migrate = store
    .command('migrate')
    .description('bring the tables of the store up to this version, while no operator is connected; forward only')
    .option('--dry-run', 'only say what it would do')
  migrate.action(() =>
    guarded(async () => {
      const { home, dryRun = false, ...options } = migrate.optsWithGlobals<Common & { dryRun?: boolean }>()
      show(migrateStore(homeAt(home), dryRun), { home, ...options }, migratedView)
      return 0
    }),
  )
  writes(
    store,
    'backup',
    'all of the store as it is now, as files that are read back by restore; while the factory runs or not',
  )
  writes(
    store,
    'export',
    'all of the store but hashes of keys, as NDJSON files for other programs, with counts and SHA-256',
  )
  const restore = store
    .command('restore')
    .description('a backup into a home that has no store; the books are checked before it is one')
    .requiredOption('--from <folder>', 'what store backup wrote')
    .option(
      '--store <address>',
      'postgres://USER@HOST:PORT/DATABASE, whose schema is empty (default: a file of the home)',
    )
  restore.action(() =>
    guarded(async () => {
      const {
        home,
        from,
        store: url,
        ...options
      } = restore.optsWithGlobals<Common & { from: string; store?: string }>()
      show(restoreStore(homeAt(home), from, url), { home, ...options }, movedView)
      return 0
    }),
  )
}

const writes = (store: Command, name: 'backup' | 'export', about: string): void => {
  const command = store
    .command(name)
    .description(about)
    .requiredOption('--to <folder>', 'a folder that is not there yet')
  command.action(() =>
    guarded(async () => {
      const { home, to, ...options } = command.optsWithGlobals<Common & { to: string }>()
      const manifest = backUp(homeAt(home), to, `wattmill-${name}`, talk)
      show({ to, ...manifest }, { home, ...options }, writtenView)
      return 0
    }),
  )
}

const writtenView = ({ to, schema, tables }: Row): string[] => {
  const written = tables as readonly { readonly rows: number }[]
  return fields({ to, schema, tables: written.length, rows: written.reduce((sum, { rows }) => sum + rows, 0) })
}

const migratedView = ({ store, from, to, scripts, done }: Row): string[] => {
  const names = scripts as readonly string[]
  return fields({
    store,
    from,
    to,
    scripts: names.length > 0 ? names : 'none: it is up to date',
    done: done ? 'yes' : 'no',
  })
}

const movedView = ({ from, to, requests, tables }: Row): string[] => {
  const moved = tables as readonly { readonly rows: number }[]
  return fields({ from, to, requests, tables: moved.length, rows: moved.reduce((sum, { rows }) => sum + rows, 0) })
}
