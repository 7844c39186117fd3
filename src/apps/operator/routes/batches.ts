import Type from 'typebox'
import { BatchFolders } from '../../../adapters/files/batch-folders.ts'
import type { Batch } from '../../../lines/inference/batch/batch.ts'
import { isOver } from '../../../lines/inference/batch/batch.ts'
import { ControlError } from '../errors.ts'
import type { Factory } from '../factory.ts'
import { type Route, route } from '../router.ts'
import { isoOrNull } from '../when.ts'

/** More than fits a screen; each is read from its file. */
const mostListed = 1000

const foldersOf = ({ home }: Factory): BatchFolders => new BatchFolders(home.batches)

export const batchRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/batches',
    role: 'viewer',
    about: 'Batches of all tenants, newest first: where they stand and how many of their requests are answered',
    input: {
      tenant: Type.Optional(Type.String({ description: 'only those of a tenant' })),
      limit: Type.Optional(Type.Integer({ minimum: 1, maximum: mostListed, default: 100 })),
    },
    run: async (factory, { tenant, limit = 100 }) => {
      const folders = foldersOf(factory)
      const keys = (await folders.keys()).sort((a, b) => (idIn(a) < idIn(b) ? 1 : -1))
      const batches: object[] = []
      for (const key of keys) {
        if (batches.length >= limit) break
        const batch = await folders.read(key)
        if (batch && (tenant === undefined || batch.tenant === tenant)) batches.push(await shown(folders, batch))
      }
      return { batches }
    },
  }),
  route({
    method: 'GET',
    path: '/api/batches/{id}',
    role: 'viewer',
    about: 'Where a batch stands, when it came there, and the ids of its files',
    input: { id: Type.String() },
    run: async (factory, { id }) => {
      const folders = foldersOf(factory)
      return details(folders, await batchOf(folders, id))
    },
  }),
  route({
    method: 'POST',
    path: '/api/batches/{id}/cancel',
    role: 'operator',
    about: 'Cancel a batch: what is under way is answered, nothing new is asked',
    input: { id: Type.String() },
    run: async (factory, { id }) => {
      const folders = foldersOf(factory)
      const batch = await batchOf(folders, id)
      if (isOver(batch.state)) throw new ControlError('conflict', `the batch is ${batch.state}`, { param: 'id' })
      await folders.cancel(batch, factory.now())
      return details(folders, batch)
    },
  }),
]

const idIn = (key: string): string => key.slice(key.indexOf('/') + 1)

async function batchOf(folders: BatchFolders, id: string): Promise<Batch> {
  const key = (await folders.keys()).find((each) => idIn(each) === id)
  const batch = key === undefined ? undefined : await folders.read(key)
  if (!batch)
    throw new ControlError('not_found', `there is no batch ${id.slice(0, 60)}`, {
      param: 'id',
      next: 'wattmill batches list',
    })
  return batch
}

async function shown(folders: BatchFolders, batch: Batch) {
  const cancelled = (await folders.cancelledAt(batch)) !== undefined
  return {
    id: batch.id,
    tenant: batch.tenant,
    app: batch.application,
    status: cancelled && !isOver(batch.state) ? 'cancelling' : batch.state,
    total: batch.total,
    completed: batch.completed,
    failed: batch.failed,
    created: isoOrNull(batch.created_ms),
    expires: isoOrNull(batch.expires_ms),
  }
}

async function details(folders: BatchFolders, batch: Batch) {
  const since = Object.entries(batch.since_ms).map(([state, ms]) => [state, isoOrNull(ms)])
  return {
    ...(await shown(folders, batch)),
    key: batch.key,
    endpoint: batch.endpoint,
    completion_window: batch.window,
    input_file: batch.input,
    output_file: isOver(batch.state) ? batch.output : null,
    error_file: isOver(batch.state) ? batch.errors : null,
    since: Object.fromEntries(since) as Record<string, string>,
    faults: batch.faults,
  }
}
