import type { Batch, BatchState } from '../../lines/inference/batch/batch.ts'
import { isOver } from '../../lines/inference/batch/batch.ts'
import type { StoredFile } from '../files/tenant-files.ts'

const unix = (ms: number): number => Math.floor(ms / 1000)

/** A file in the shape of OpenAI's. */
export const fileObject = (file: StoredFile) => ({
  id: file.id,
  object: 'file' as const,
  bytes: file.bytes,
  created_at: unix(file.created_ms),
  expires_at: unix(file.expires_ms),
  filename: file.filename,
  purpose: file.purpose,
  status: 'processed' as const,
  status_details: null,
})

/** A batch in the shape of OpenAI's. `cancelled_ms`: when it was asked to be cancelled. */
export function batchObject(batch: Batch, cancelled_ms: number | undefined) {
  const since = (state: BatchState): number | null => {
    const ms = batch.since_ms[state]
    return ms === undefined ? null : unix(ms)
  }
  const over = isOver(batch.state)
  const files = over // files are there when it is over, and not before
  return {
    id: batch.id,
    object: 'batch' as const,
    endpoint: batch.endpoint,
    errors: batch.faults.length > 0 ? { object: 'list', data: batch.faults } : null,
    input_file_id: batch.input,
    completion_window: batch.window,
    status: !over && cancelled_ms !== undefined ? ('cancelling' as const) : batch.state,
    output_file_id: files ? batch.output : null,
    error_file_id: files ? batch.errors : null,
    created_at: unix(batch.created_ms),
    in_progress_at: since('in_progress'),
    expires_at: unix(batch.expires_ms),
    finalizing_at: since('finalizing'),
    completed_at: since('completed'),
    failed_at: since('failed'),
    expired_at: since('expired'),
    cancelling_at: cancelled_ms === undefined ? null : unix(cancelled_ms),
    cancelled_at: since('cancelled'),
    request_counts: { total: batch.total, completed: batch.completed, failed: batch.failed },
    metadata: batch.metadata,
  }
}
