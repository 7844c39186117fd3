import { clock } from '../../../adapters/clock/clock.ts'
import { newBatchId } from '../../../adapters/files/batch-folders.ts'
import { readBody, wrongMedia } from '../../../adapters/http/body.ts'
import { idHeaders, sendJson } from '../../../adapters/http/errors.ts'
import { parseObject } from '../../../adapters/http/json.ts'
import { batchObject } from '../../../adapters/openai/batch-object.ts'
import { pageOfObjects } from '../../../adapters/openai/lists.ts'
import type { Batch, BatchEndpoint } from '../../../lines/inference/batch/batch.ts'
import { batchEndpoints, isOver, windowMs } from '../../../lines/inference/batch/batch.ts'
import type { JsonObject } from '../../../units/json.ts'
import { isObject } from '../../../units/json.ts'
import type { Asking } from './asking.ts'
import { asking, pageOf, Refused, refuse } from './asking.ts'

/** Names of a file and of an endpoint, and sixteen notes. */
const bodyBounds = { bytes: 64 * 1024, ms: 10_000 }

/** POST /v1/batches */
export const createBatch = asking(async (about) => {
  const { state, response, id } = about
  if (state.draining) refuse('draining', 'this gateway takes no new requests')
  const body = await bodyOf(about)
  if (!body) return
  const batch = await asked(about, body)
  await roomFor(about)
  const input =
    (await state.files.find(batch.tenant, batch.input, clock.ms())) ??
    refuse('file_not_found', 'there is no such file for this key', { param: 'input_file_id' })
  if (input.purpose !== 'batch')
    refuse('invalid_value', `the file's purpose is ${input.purpose}, not batch`, { param: 'input_file_id' })
  await state.batches.create(batch, state.files.path(input.tenant, input.id))
  sendJson(response, 200, batchObject(batch, undefined), idHeaders(id))
})

/** Undefined: the client left. */
function bodyOf({ request }: Asking): Promise<JsonObject | undefined> {
  const media = wrongMedia(request)
  if (media) throw new Refused(media)
  return new Promise((resolve, reject) =>
    readBody(request, bodyBounds, (body) => {
      if (body.kind === 'left') return resolve(undefined)
      if (body.kind === 'refused') return reject(new Refused(body.refusal))
      const json = parseObject(body.bytes)
      return json.ok ? resolve(json.value) : reject(new Refused(json.refusal))
    }),
  )
}

async function asked({ grant }: Asking, body: JsonObject): Promise<Batch> {
  const { input_file_id, endpoint, completion_window, metadata, output_expires_after } = body
  if (typeof input_file_id !== 'string')
    refuse('invalid_value', '"input_file_id" must be the id of a file', { param: 'input_file_id' })
  if (!batchEndpoints.includes(endpoint as BatchEndpoint))
    refuse('invalid_value', `"endpoint" must be one of ${batchEndpoints.join(', ')}`, { param: 'endpoint' })
  const window =
    windowMs(completion_window) ??
    refuse('invalid_value', '"completion_window" must be a time from 1h to 168h, such as 24h', {
      param: 'completion_window',
    })
  if (output_expires_after !== undefined && output_expires_after !== null)
    refuse('unsupported_parameter', 'files of batches are kept as `limits.file_seconds` says', {
      param: 'output_expires_after',
    })
  const created_ms = clock.ms()
  return {
    id: newBatchId(created_ms),
    tenant: grant.tenant,
    application: grant.application,
    key: grant.key,
    endpoint: endpoint as BatchEndpoint,
    input: input_file_id as Batch['input'],
    window: String(completion_window),
    metadata: metadataOf(metadata),
    state: 'validating',
    created_ms,
    expires_ms: created_ms + window,
    since_ms: { validating: created_ms },
    end: null,
    faults: [],
    total: 0,
    completed: 0,
    failed: 0,
    output: null,
    errors: null,
  }
}

/** OpenAI's bounds: 16 pairs, 64 and 512 characters. */
function metadataOf(value: unknown): Record<string, string> | null {
  if (value === undefined || value === null) return null
  const pairs = isObject(value) ? Object.entries(value) : []
  const fits = pairs.every(([name, text]) => name.length <= 64 && typeof text === 'string' && text.length <= 512)
  if (!isObject(value) || pairs.length > 16 || !fits)
    refuse('invalid_value', '"metadata" must be at most 16 texts of 512 characters under names of 64', {
      param: 'metadata',
    })
  return Object.fromEntries(pairs) as Record<string, string>
}

async function roomFor({ state, grant }: Asking): Promise<void> {
  const most = state.settings.batches.unfinished
  let unfinished = 0
  for (const each of await state.batches.ids(grant.tenant)) {
    const batch = await state.batches.find(grant.tenant, each)
    if (batch && !isOver(batch.state) && ++unfinished >= most)
      refuse('too_many_batches', `${unfinished} batches of the tenant are not over yet`)
  }
}

const batchOf = async ({ state, grant, subject }: Asking): Promise<Batch> =>
  (await state.batches.find(grant.tenant, subject)) ??
  refuse('batch_not_found', 'there is no such batch for this key', { param: 'batch_id' })

const shown = async ({ state }: Asking, batch: Batch) => batchObject(batch, await state.batches.cancelledAt(batch))

/** GET /v1/batches */
export const listBatches = asking(async (about) => {
  const { state, grant, query, response, id } = about
  const { ids, more } = pageOf(await state.batches.ids(grant.tenant), query, 20, 100)
  const batches = await Promise.all(ids.map((each) => state.batches.find(grant.tenant, each)))
  const data = await Promise.all(batches.filter((batch) => batch !== undefined).map((batch) => shown(about, batch)))
  sendJson(response, 200, pageOfObjects(data, ids.at(-1) ?? null, more), idHeaders(id))
})

/** GET /v1/batches/{id} */
export const showBatch = asking(async (about) =>
  sendJson(about.response, 200, await shown(about, await batchOf(about)), idHeaders(about.id)),
)

/** POST /v1/batches/{id}/cancel: what is under way is answered, nothing new is asked. */
export const cancelBatch = asking(async (about) => {
  const batch = await batchOf(about)
  if (isOver(batch.state)) refuse('batch_is_over', `the batch is ${batch.state}`)
  await about.state.batches.cancel(batch, clock.ms())
  sendJson(about.response, 200, await shown(about, batch), idHeaders(about.id))
})
