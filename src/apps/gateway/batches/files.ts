import { pipeline } from 'node:stream'
import { clock } from '../../../adapters/clock/clock.ts'
import type { StoredFile } from '../../../adapters/files/tenant-files.ts'
import { newFileId } from '../../../adapters/files/tenant-files.ts'
import { idHeaders, sendJson } from '../../../adapters/http/errors.ts'
import { fileDeleted, fileObject } from '../../../adapters/openai/batch-object.ts'
import { pageOfObjects } from '../../../adapters/openai/lists.ts'
import type { Asking } from './asking.ts'
import { asking, pageOf, refuse } from './asking.ts'
import { readUpload } from './upload.ts'

/** The server's own bound of a request is two minutes: this one is told in words. */
const uploadMs = 115_000
/** Each holds a socket, a file and a few hundred KiB on their way. */
const mostUploads = 8
let uploads = 0

/** POST /v1/files: a form with `purpose` and `file`. */
export const uploadFile = asking(async (about) => {
  const { state, request, response, id, grant } = about
  if (state.draining) refuse('draining', 'this gateway takes no new requests')
  if (state.room.room.state === 'full') refuse('storage_unavailable', 'the disk is as full as it may be')
  if (uploads >= mostUploads) refuse('overloaded', `${mostUploads} files are being uploaded already`)
  uploads++
  try {
    const left = await leftFor(about)
    const incoming = await state.files.begin(grant.tenant)
    try {
      const form = await readUpload(request, incoming, { ...left, ms: uploadMs })
      if ((await state.files.held(grant.tenant)).bytes > state.settings.batches.tenantBytes) exhausted(about)
      const facts = { ...lifeOf(about, form.fields), id: newFileId(clock.ms()), tenant: grant.tenant }
      const file = await incoming.commit({ ...facts, filename: form.filename, purpose: 'batch' })
      sendJson(response, 200, fileObject(file), idHeaders(id))
    } finally {
      await incoming.drop()
    }
  } finally {
    uploads--
  }
})

const exhausted = ({ state }: Asking): never => {
  const { tenantBytes, tenantFiles } = state.settings.batches
  return refuse('storage_exhausted', `the tenant may keep ${tenantFiles} files and ${tenantBytes} bytes of them`)
}

async function leftFor(about: Asking): Promise<{ bytes: number; tooLarge(): never }> {
  const { fileBytes, tenantBytes, tenantFiles } = about.state.settings.batches
  const held = await about.state.files.held(about.grant.tenant)
  const left = tenantBytes - held.bytes
  if (left <= 0 || held.files >= tenantFiles) exhausted(about)
  const large = (): never => refuse('file_too_large', `the file is larger than ${fileBytes} bytes`, { param: 'file' })
  return left < fileBytes ? { bytes: left, tooLarge: () => exhausted(about) } : { bytes: fileBytes, tooLarge: large }
}

const [leastLife_s, mostLife_s] = [3600, 2_592_000]

/** Fields of the form: the purpose that there is, and a shorter life where one is asked for. */
function lifeOf({ state }: Asking, fields: ReadonlyMap<string, string>) {
  const purpose = fields.get('purpose')
  if (purpose !== 'batch') refuse('invalid_value', '"purpose" must be batch', { param: 'purpose' })
  const created_ms = clock.ms()
  const asked = fields.get('expires_after[seconds]')
  const life_s = Number(asked ?? mostLife_s)
  if (asked !== undefined && !(Number.isInteger(life_s) && life_s >= leastLife_s && life_s <= mostLife_s))
    refuse('invalid_value', `"expires_after[seconds]" must be from ${leastLife_s} to ${mostLife_s}`, {
      param: 'expires_after',
    })
  const { keepMs } = state.settings.batches
  const life_ms = asked === undefined ? keepMs : Math.min(keepMs, life_s * 1000)
  return { created_ms, expires_ms: created_ms + life_ms }
}

const fileOf = async ({ state, grant, subject }: Asking): Promise<StoredFile> =>
  (await state.files.find(grant.tenant, subject, clock.ms())) ??
  refuse('file_not_found', 'there is no such file for this key', { param: 'file_id' })

/** GET /v1/files */
export const listFiles = asking(async (about) => {
  const { state, grant, query, response, id } = about
  const { ids, more } = pageOf(await state.files.ids(grant.tenant), query, 1000, 10_000)
  const purpose = query.get('purpose')
  const found = await Promise.all(ids.map((each) => state.files.find(grant.tenant, each, clock.ms())))
  const data = found
    .filter((file) => file !== undefined && (purpose === null || file.purpose === purpose))
    .map((file) => fileObject(file as StoredFile))
  sendJson(response, 200, pageOfObjects(data, ids.at(-1) ?? null, more), idHeaders(id))
})

/** GET /v1/files/{id} */
export const showFile = asking(async (about) =>
  sendJson(about.response, 200, fileObject(await fileOf(about)), idHeaders(about.id)),
)

/** DELETE /v1/files/{id}: a batch that was made of it goes on. */
export const deleteFile = asking(async (about) => {
  const file = await fileOf(about)
  await about.state.files.remove(file.tenant, file.id)
  sendJson(about.response, 200, fileDeleted(file), idHeaders(about.id))
})

/** GET /v1/files/{id}/content: as it lies on the disk, as fast as it is read. */
export const fileContent = asking(async (about) => {
  const { response, request } = about
  const file = await fileOf(about)
  const bytes = (await about.state.files.read(file)) ?? refuse('file_not_found', 'the file was deleted just now')
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-length': String(file.bytes),
    'x-content-type-options': 'nosniff',
    ...idHeaders(about.id),
  })
  if (request.method === 'HEAD') {
    bytes.destroy()
    return void response.end()
  }
  pipeline(bytes, response, () => undefined) // a reader that left is no fault
})
