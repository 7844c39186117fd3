import type { Batch } from '../../lines/inference/batch/batch.ts'
import { isOver } from '../../lines/inference/batch/batch.ts'
import type { StoredFile } from '../files/tenant-files.ts'
import type { BatchObject, FileDeleted, FileObject } from './wire.ts'

const unix = (ms: number): number => Math.floor(ms / 1000)

/** A file in the shape of OpenAI's. */
export const fileObject = (file: StoredFile): FileObject => ({
  id: file.id,
  object: 'file',
  bytes: file.bytes,
  created_at: unix(file.created_ms),
  expires_at: unix(file.expires_ms),
  filename: file.filename,
  purpose: file.purpose,
  status: 'processed',
})

export const fileDeleted = ({ id }: StoredFile): FileDeleted => ({ id, object: 'file', deleted: true })

/** A batch in the shape of OpenAI's. `cancelled_ms`: when it was asked to be cancelled. */
export function batchObject(batch: Batch, cancelled_ms: number | undefined): BatchObject {
  const over = isOver(batch.state)
  const files = over // files are there when it is over, and not before
  return {
    id: batch.id,
    object: 'batch',
    endpoint: batch.endpoint,
    ...(batch.faults.length > 0 && { errors: { object: 'list', data: batch.faults } }),
    input_file_id: batch.input,
    completion_window: batch.window,
    status: !over && cancelled_ms !== undefined ? 'cancelling' : batch.state,
    ...(files && batch.output && { output_file_id: batch.output }),
    ...(files && batch.errors && { error_file_id: batch.errors }),
    created_at: unix(batch.created_ms),
    expires_at: unix(batch.expires_ms),
    ...at('in_progress_at', batch.since_ms.in_progress),
    ...at('finalizing_at', batch.since_ms.finalizing),
    ...at('completed_at', batch.since_ms.completed),
    ...at('failed_at', batch.since_ms.failed),
    ...at('expired_at', batch.since_ms.expired),
    ...at('cancelling_at', cancelled_ms),
    ...at('cancelled_at', batch.since_ms.cancelled),
    request_counts: { total: batch.total, completed: batch.completed, failed: batch.failed },
    metadata: batch.metadata,
  }
}

const at = <Name extends string>(name: Name, ms: number | undefined): { readonly [Each in Name]?: number } =>
  ms === undefined ? {} : ({ [name]: unix(ms) } as { readonly [Each in Name]: number })
