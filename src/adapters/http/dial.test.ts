import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { reachOf } from './addresses.ts'
import type { Lookup } from './dial.ts'
import { declaredBy, dial, mayReach } from './dial.ts'

test('addresses in all their spellings', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['8.8.8.8', 'public'],
    ['2606:4700::1111', 'public'],
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['::127.0.0.1', 'loopback'],
    ['64:ff9b::7f00:1', 'loopback'],
    ['2002:7f00:1::', 'loopback'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['172.32.0.1', 'public'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'private'],
    ['::ffff:10.0.0.1', 'private'],
    ['2002:c0a8:101::1', 'private'],
    ['fd12:3456::1', 'private'],
    ['169.254.169.254', 'forbidden'],
    ['169.254.170.2', 'forbidden'],
    ['::ffff:169.254.169.254', 'forbidden'],
    ['::ffff:a9fe:a9fe', 'forbidden'],
    ['64:ff9b::a9fe:a9fe', 'forbidden'],
    ['fd00:ec2::254', 'forbidden'],
    ['fe80::1', 'forbidden'],
    ['fe80::1%eth0', 'forbidden'],
    ['[fe80::1]', 'forbidden'],
    ['100.100.100.200', 'forbidden'],
    ['192.0.0.192', 'forbidden'],
    ['0.0.0.0', 'forbidden'],
    ['0.1.2.3', 'forbidden'],
    ['::', 'forbidden'],
    ['::ffff:0.0.0.0', 'forbidden'],
    ['224.0.0.1', 'forbidden'],
    ['255.255.255.255', 'forbidden'],
    ['ff02::1', 'forbidden'],
    ['', 'forbidden'],
    ['0x7f000001', 'forbidden'],
    ['127.1', 'forbidden'],
  ]
  for (const [address, reach] of cases) assert.equal(reachOf(address), reach, address)
})

test('a URL declares the address it names, however it spells it', () => {
  const cases: readonly (readonly [string, string])[] = [
    ['http://2130706433/v1', 'loopback'],
    ['http://0x7f.1/v1', 'loopback'],
    ['http://0177.0.0.1/v1', 'loopback'],
    ['http://127.1/v1', 'loopback'],
    ['http://[::ffff:127.0.0.1]/v1', 'loopback'],
    ['http://localhost:8000/v1', 'loopback'],
    ['http://a.localhost/v1', 'loopback'],
    ['http://0xa9fea9fe/latest', 'forbidden'],
    ['http://2852039166/latest', 'forbidden'],
    ['http://[::ffff:169.254.169.254]/', 'forbidden'],
    ['http://10.0.0.7:8000/v1', 'private'],
    ['http://localhost.example.com/v1', 'public'],
    ['https://api.example.com/v1', 'public'],
  ]
  for (const [url, reach] of cases) assert.equal(declaredBy(new URL(url)), reach, url)
  assert.equal(mayReach('10.0.0.1', 'public'), false)
  assert.equal(mayReach('10.0.0.1', 'loopback'), false)
  assert.equal(mayReach('169.254.169.254', 'forbidden'), false, 'what is forbidden cannot be declared')
})

const answers =
  (...turns: readonly (readonly string[])[]): Lookup =>
  (_, __, callback) => {
    const addresses = (turns.length > 1 ? (turns as string[][]).shift() : turns[0]) ?? []
    queueMicrotask(() =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      ),
    )
  }

const get = async (url: string, lookup?: Lookup): Promise<string> => {
  const pool = dial(new URL(url), { connections: 1, connectMs: 500, ...(lookup ? { lookup } : {}) })
  try {
    const { statusCode, body } = await pool.request({ path: '/', method: 'GET' })
    await body.dump()
    return `status ${statusCode}`
  } catch (error) {
    return error instanceof Error ? error.name : 'unknown'
  } finally {
    await pool.destroy()
  }
}

test('what is dialled is what was checked', async () => {
  const server = createServer((_, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end())
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  try {
    assert.equal(await get(`http://127.0.0.1:${port}`), 'status 302', 'redirects are not followed')
    assert.equal(await get(`http://2130706433:${port}`), 'status 302')
    assert.equal(await get(`http://localhost:${port}`, answers(['127.0.0.1'])), 'status 302')
    assert.equal(await get(`http://localhost:${port}`, answers(['10.0.0.1'])), 'ForbiddenAddress')
    assert.equal(await get(`http://engine.example:${port}`, answers(['127.0.0.1'])), 'ForbiddenAddress')
    assert.equal(await get(`http://engine.example:${port}`, answers(['::ffff:127.0.0.1'])), 'ForbiddenAddress')
    assert.equal(await get(`http://engine.example:${port}`, answers(['8.8.8.8', '127.0.0.1'])), 'ForbiddenAddress')
    assert.equal(await get('http://169.254.169.254'), 'ForbiddenAddress')
    assert.equal(await get('http://0xa9fea9fe'), 'ForbiddenAddress')
    assert.equal(await get('http://[::ffff:169.254.169.254]'), 'ForbiddenAddress')
    assert.equal(await get('http://[fe80::1]'), 'ForbiddenAddress')
  } finally {
    server.close()
  }
})

test('a name that changes its mind is judged each time', async () => {
  const server = createServer((_, response) => response.end())
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const { port } = server.address() as AddressInfo
  const lookup = answers(['169.254.169.254'], ['127.0.0.1'], ['10.0.0.1'])
  try {
    for (const expected of ['ForbiddenAddress', 'status 200', 'ForbiddenAddress'])
      assert.equal(await get(`http://localhost:${port}`, lookup), expected)
  } finally {
    server.close()
  }
})
