import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Proxies, parseNetwork } from './client.ts'

const proxies = new Proxies(['10.0.0.0/8', '192.0.2.7', 'fd00::/8'])

const cases: readonly (readonly [peer: string, forwarded: string | undefined, address: string])[] = [
  ['198.51.100.1', undefined, '198.51.100.1'],
  ['198.51.100.1', '6.6.6.6', '198.51.100.1'], // a stranger's word
  ['10.1.1.1', undefined, '10.1.1.1'],
  ['10.1.1.1', '203.0.113.5', '203.0.113.5'],
  ['::ffff:10.1.1.1', '203.0.113.5', '203.0.113.5'],
  ['10.1.1.1', '6.6.6.6, 203.0.113.5', '203.0.113.5'], // what the client wrote itself stands first
  ['10.1.1.1', '6.6.6.6, 203.0.113.5, 192.0.2.7, 10.2.2.2', '203.0.113.5'],
  ['10.1.1.1', '10.3.3.3, 10.2.2.2', '10.3.3.3'], // within the house
  ['10.1.1.1', 'unknown, 10.2.2.2', '10.2.2.2'],
  ['10.1.1.1', "6.6.6.6' or 1=1", '10.1.1.1'],
  ['10.1.1.1', '203.0.113.5:4711', '203.0.113.5'],
  ['fd00::1', '[2001:db8::9]:443', '2001:db8::9'],
  ['fd00::1', '', 'fd00::1'],
  ['192.0.2.8', '203.0.113.5', '192.0.2.8'],
]
for (const [peer, forwarded, address] of cases)
  test(`${peer} that says ${JSON.stringify(forwarded)} is ${address}`, () => {
    const headers = forwarded === undefined ? {} : { 'x-forwarded-for': forwarded }
    assert.equal(proxies.clientOf({ peer, encrypted: false, headers }).address, address)
  })

test('who spoke TLS to a proxy spoke TLS, and only a proxy may say so', () => {
  const headers = { 'x-forwarded-for': '203.0.113.5', 'x-forwarded-proto': 'http, https' }
  assert.equal(proxies.clientOf({ peer: '10.1.1.1', encrypted: false, headers }).secure, true)
  assert.equal(proxies.clientOf({ peer: '198.51.100.1', encrypted: false, headers }).secure, false)
  assert.equal(proxies.clientOf({ peer: '198.51.100.1', encrypted: true, headers: {} }).secure, true)
})

test('a network is an address and how much of it counts', () => {
  for (const good of ['0.0.0.0/0', '10.0.0.1', '::1/128', 'fd00::/8']) assert(parseNetwork(good), good)
  for (const bad of ['10.0.0.0/33', '::1/129', '10.0.0', 'example.com', '10.0.0.0/', '', '1.2.3.4/-1', '1.2.3.4/8 '])
    assert.equal(parseNetwork(bad), undefined, bad)
  assert.throws(() => new Proxies(['nowhere']), /nowhere is no address/)
})
