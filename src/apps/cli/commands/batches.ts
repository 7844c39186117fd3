import type { Command } from 'commander'
import { fields, type Row } from '../print.ts'
import { does, path, query, show } from '../run.ts'
import { whole } from '../values.ts'

interface Batch extends Row {
  readonly since: Readonly<Record<string, string>>
  readonly faults: readonly { readonly line: number | null; readonly code: string; readonly message: string }[]
}

export function batchCommands(program: Command): void {
  const batches = program.command('batches').description('batches that tenants handed in at /v1/batches')

  does<{ tenant?: string; limit?: number }>(
    batches
      .command('list')
      .description('where they stand, newest first')
      .option('--tenant <name>', 'only those of a tenant')
      .option('--limit <n>', 'at most so many (default: 100)', whole),
    async (factory, { tenant, limit, ...options }) => {
      const listed = await factory.json('GET', `/api/batches${query({ tenant, limit })}`)
      show(listed, options, ({ batches }: { batches: Row[] }) => batches)
      return undefined
    },
  )

  does(
    batches.command('show').description('one batch: its states, files and faults').argument('<id>'),
    async (factory, options, id = '') => {
      show(await factory.json('GET', path`/api/batches/${id}`), options, view)
      return undefined
    },
  )

  does(
    batches.command('cancel').description('ask nothing new of it; what is under way is answered').argument('<id>'),
    async (factory, options, id = '') => {
      show(await factory.json('POST', path`/api/batches/${id}/cancel`, {}), options, view)
      return undefined
    },
  )
}

const view = ({ since, faults, ...batch }: Batch): string[] => [
  ...fields({ ...batch, ...Object.fromEntries(Object.entries(since).map(([state, at]) => [`since ${state}`, at])) }),
  ...faults.map(({ line, code, message }) => `${line === null ? 'file' : `line ${line}`}: ${code}: ${message}`),
]
