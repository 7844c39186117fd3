import assert from 'node:assert/strict'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { Console } from './console.ts'
import { ControlError } from './errors.ts'
import type { Answer } from './router.ts'
import { temporary } from './testing.ts'

function built(): string {
  const folder = join(temporary(), 'console')
  mkdirSync(join(folder, 'assets'), { recursive: true })
  writeFileSync(join(folder, 'index.html'), '<!doctype html><title>Wattmill</title>')
  writeFileSync(join(folder, 'assets', 'index-1.js'), 'export {}')
  writeFileSync(join(folder, 'secret'), 'no')
  return folder
}

const bytes = ({ reply }: Answer): Uint8Array => (reply.body as { bytes: Uint8Array }).bytes

test('the console allows nothing inline and nothing from elsewhere', () => {
  const { reply } = new Console(built()).index(undefined)
  const policy = reply.headers?.['content-security-policy'] ?? ''
  assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'/)
  assert.match(policy, /frame-ancestors 'none'.*require-trusted-types-for 'script'/)
  assert(!/unsafe|https?:|\*/.test(policy), policy)
})

test('packed for who takes it packed, and kept for ever under names that change with the content', () => {
  const console = new Console(built())
  const plain = console.asset('index-1.js', undefined)
  const packed = console.asset('index-1.js', 'br, gzip')
  assert.equal(packed.reply.headers?.['content-encoding'], 'gzip')
  assert.deepEqual(gunzipSync(bytes(packed)), Buffer.from(bytes(plain)))
  assert.match(packed.reply.headers?.['cache-control'] ?? '', /immutable/)
  assert.equal(console.index(undefined).reply.headers?.['cache-control'], 'no-cache')
})

test('no path leads out of its folder, or to a file beside the assets', () => {
  const console = new Console(built())
  for (const name of ['../secret', '..%2fsecret', 'secret', '../index.html', 'constructor', '', 'x'.repeat(9999)])
    assert.throws(
      () => console.asset(name, undefined),
      (error) => error instanceof ControlError && error.code === 'route_not_found',
    )
})

test('while it is not built the page says so and looks again; once it is, it is shown', () => {
  const folder = join(temporary(), 'later')
  const console = new Console(folder)
  const { reply } = console.index(undefined)
  assert.deepEqual([reply.status, reply.headers?.refresh], [503, '2'])
  assert.match((reply.body as { text: string }).text, /npm ci/)
  cpSync(built(), folder, { recursive: true })
  assert.equal(console.index(undefined).reply.status, 200)
  assert.equal(new Console(undefined).index(undefined).reply.status, 503)
})
