import type { Command } from 'commander'
import { home as homeAt } from '../../../adapters/files/home.ts'
import { moveStore } from '../../operator/place-store.ts'
import { fields, type Row } from '../print.ts'
import { type Common, guarded, show } from '../run.ts'

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
}

const movedView = ({ from, to, requests, tables }: Row): string[] => {
  const moved = tables as readonly { readonly rows: number }[]
  return fields({ from, to, requests, tables: moved.length, rows: moved.reduce((sum, { rows }) => sum + rows, 0) })
}
