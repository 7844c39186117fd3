import assert from 'node:assert/strict'
import { existsSync, readdirSync, statSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { folderOf } from '../../../adapters/files/tenant-files.ts'
import type { TenantId } from '../../../units/ids.ts'
import { type Bench, bench, testKey, until } from '../testing.ts'
import { call, form } from './testing.ts'

const acme = 'acme' as TenantId

/** What lies in the tenant's folder. */
function onDisk({ gateway }: Bench): string[] {
  const folder = join(gateway.state.settings.home, 'files', folderOf(acme))
  return existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : []
}

const bounds = {
  fileBytes: 1000,
  tenantBytes: 2500,
  tenantFiles: 3,
  keepMs: 86_400_000,
  lines: 10,
  unfinished: 2,
  requests: 1,
}

test('a file is bounded, and so is what a tenant keeps; what is refused leaves nothing behind', async (t) => {
  const here = await bench(t, { settings: { batches: bounds } })
  const { url } = here
  const upload = (bytes: number) => call(`${url}/v1/files`, 'POST', form('x'.repeat(bytes)))
  const large = await upload(1001)
  assert.deepEqual([large.status, large.json.error.code], [413, 'file_too_large'])
  const huge = await upload(300_000)
  assert.deepEqual([huge.status, huge.json.error.code], [413, 'file_too_large'])
  await until(() => onDisk(here).length === 0)

  assert.equal((await upload(1000)).json.bytes, 1000)
  assert.equal((await upload(1000)).status, 200)
  const much = await upload(501)
  assert.deepEqual([much.status, much.json.error.code], [429, 'storage_exhausted'])
  const third = await upload(500)
  assert.equal(third.status, 200)
  assert.equal((await upload(0)).json.error.code, 'storage_exhausted', 'three files are the most')
  assert.equal((await call(`${url}/v1/files/${third.json.id}`, 'DELETE')).status, 200)
  assert.equal((await upload(400)).status, 200)
  assert.equal(onDisk(here).filter((path) => path.endsWith('.part')).length, 0)
})

test('a file goes to the disk while it comes, and one that breaks off is no file', async (t) => {
  const here = await bench(t)
  const upload = httpRequest(`${here.url}/v1/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${testKey}`, 'content-type': 'multipart/form-data; boundary=b0' },
  })
  upload.on('error', () => undefined)
  upload.write(`--b0\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n${'x'.repeat(60_000)}`)
  const part = (): string | undefined => onDisk(here).find((path) => path.endsWith('.part'))
  await until(() => part() !== undefined && statSync(part() ?? '').size > 50_000)
  assert.deepEqual((await call(`${here.url}/v1/files`, 'GET')).json.data, [])
  upload.destroy()
  await until(() => onDisk(here).length === 0)
})

test('what is no form, or lacks a field, is refused and says which', async (t) => {
  const { url } = await bench(t)
  const forms: readonly (readonly [FormData, string, string | null])[] = [
    [form('x', {}), 'invalid_value', 'purpose'],
    [form('x', { purpose: 'fine-tune' }), 'invalid_value', 'purpose'],
    [form('x', { purpose: 'batch', 'expires_after[seconds]': '60' }), 'invalid_value', 'expires_after'],
    [form('x', { purpose: 'b'.repeat(5000) }), 'invalid_form', null],
  ]
  const bare = new FormData()
  bare.set('purpose', 'batch')
  for (const [body, code, param] of [...forms, [bare, 'invalid_value', 'file'] as const]) {
    const { status, json } = await call(`${url}/v1/files`, 'POST', body)
    assert.deepEqual([status, json.error.code, json.error.param], [400, code, param])
  }
  const json = await call(`${url}/v1/files`, 'POST', { purpose: 'batch' })
  assert.equal(json.json.error.code, 'invalid_form')
  const allowed = await call(`${url}/v1/files`, 'PUT')
  assert.deepEqual([allowed.status, allowed.headers.get('allow')], [405, 'POST, GET, HEAD'])
  assert.equal((await call(`${url}/v1/files`, 'GET', undefined, 'wm-nobody')).status, 401)
})

test('files are listed by pages in both orders, and end when their time is up', async (t) => {
  const { url, gateway } = await bench(t)
  const ids: string[] = []
  for (let n = 0; n < 5; n++) {
    const { json } = await call(
      `${url}/v1/files`,
      'POST',
      form('x', { purpose: 'batch', 'expires_after[seconds]': '3600' }),
    )
    assert.equal(json.expires_at - json.created_at, 3600)
    ids.push(json.id)
    await new Promise((next) => setTimeout(next, 2)) // ids sort by the millisecond
  }
  for (const order of ['asc', 'desc'] as const) {
    const seen: string[] = []
    for (let after = '', more = true; more; ) {
      const query = `limit=2&order=${order}${after && `&after=${after}`}`
      const { json } = await call(`${url}/v1/files?${query}`, 'GET')
      seen.push(...json.data.map(({ id }: { id: string }) => id))
      after = json.last_id
      more = json.has_more
    }
    assert.deepEqual(seen, order === 'asc' ? ids : [...ids].reverse())
  }
  for (const wrong of ['limit=0', 'limit=x', 'order=up'])
    assert.equal((await call(`${url}/v1/files?${wrong}`, 'GET')).json.error.code, 'invalid_value')

  const { files } = gateway.state
  const later = Date.now() + 3_601_000
  assert.equal(await files.find(acme, ids[0] ?? '', later), undefined)
  await files.sweep(later)
  assert.deepEqual(await files.held(acme), { files: 0, bytes: 0 })
})

test('a batch is bounded and named in its refusals', async (t) => {
  const { url } = await bench(t, { settings: { batches: { ...bounds, unfinished: 0 } } })
  const file = (await call(`${url}/v1/files`, 'POST', form('x'))).json.id
  const good = { input_file_id: file, endpoint: '/v1/chat/completions', completion_window: '24h' }
  const cases: readonly (readonly [object, string, string | null])[] = [
    [{ ...good, input_file_id: undefined }, 'invalid_value', 'input_file_id'],
    [{ ...good, endpoint: '/v1/models' }, 'invalid_value', 'endpoint'],
    [{ ...good, completion_window: '1y' }, 'invalid_value', 'completion_window'],
    [{ ...good, metadata: { a: 1 } }, 'invalid_value', 'metadata'],
    [{ ...good, output_expires_after: { seconds: 1 } }, 'unsupported_parameter', 'output_expires_after'],
    [{ ...good, input_file_id: 'file-none' }, 'file_not_found', 'input_file_id'],
  ]
  for (const [body, code, param] of cases) {
    const { json } = await call(`${url}/v1/batches`, 'POST', body)
    assert.deepEqual([json.error.code, json.error.param], [code, param])
  }
})
