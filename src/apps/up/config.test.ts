import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ControlError } from '../operator/errors.ts'
import { temporary } from '../operator/testing.ts'
import { parseConfig, readConfig } from './config.ts'
import { configFrom, settings, usualPort } from './settings.ts'

const cases: readonly (readonly [text: string, says: RegExp])[] = [
  ['prot: 1', /^f:1:1: unknown setting prot; did you mean port\?$/],
  ['port: 1\n\nlimits:\n  body_byte: 5', /^f:4:3: unknown setting limits.body_byte; did you mean body_bytes\?$/],
  ['port: "80"', /^f:1:7: port is a whole number from 0 to 65535$/],
  ['gateways: 2.5', /^f:1:11: gateways is a whole number/],
  ['port: 70000', /^f:1:7: port is from 0 to 65535 \(0 takes any free port\)$/],
  ['host: 5', /^f:1:7: host is a text$/],
  ['limits: 5', /^f:1:9: limits holds settings such as "body_bytes: …"$/],
  ['limits:', /^f:1:8: limits holds settings/],
  ['- port', /^f:1:1: the file holds settings/],
  ['port: 1\nport: 2', /^f:2:1: Map keys must be unique$/],
  ['port: [1', /^f:1:/],
  ['trusted_proxies: 10.0.0.0/8', /^f:1:18: trusted_proxies is a list such as/],
  ['trusted_proxies: [10.0.0.0/33]', /^f:1:18: trusted_proxies holds "10.0.0.0\/33", which is no address/],
  ['tls: x.pem', /^f:1:6: tls holds settings such as "cert: …"$/],
  ['engine:\n  site: eu north', /^f:2:9: engine.site is a name: 1 to 100 letters, digits and/],
  ['tls:\n  cert: 5', /^f:2:9: tls.cert is a path$/],
  ['__proto__:\n  port: 1', /unknown setting __proto__/],
]
for (const [text, says] of cases)
  test(`a config of ${JSON.stringify(text)} is refused with its place`, () => {
    assert.throws(
      () => parseConfig(text, 'f'),
      (error: ControlError) => error.code === 'bad_config' && says.test(error.message),
    )
  })

test('an empty file is the usual settings, and every usual value fits its own bounds', () => {
  assert.equal(configFrom(parseConfig('# nothing\n', 'f')).port, usualPort)
  for (const [path, { usual }] of Object.entries(settings)) {
    const [slice, name] = path.split('.')
    const json = JSON.stringify(usual)
    const text = name ? `${slice}:\n  ${name}: ${json}` : `${slice}: ${json}`
    assert.deepEqual(parseConfig(text, 'f').get(path), usual)
  }
})

test('flags outrank the file, and are bounded like it', () => {
  assert.equal(readConfig(undefined, { port: 0 }).port, 0)
  assert.throws(() => readConfig(undefined, { gateways: 0 }), /gateways is from 1 to 64/)
  assert.throws(() => readConfig('/nowhere/w.yaml', {}), /cannot be read \(ENOENT\)/)
})

test('a certificate and its key go together, and lie where the file says', () => {
  const folder = temporary()
  const file = join(folder, 'w.yaml')
  writeFileSync(file, 'tls:\n  cert: tls/cert.pem\n')
  assert.throws(() => readConfig(file, {}), /tls.key is missing/)
  writeFileSync(file, 'tls:\n  cert: tls/cert.pem\n  key: /etc/key.pem\ntrusted_proxies: [10.0.0.0/8, ::1]\n')
  const { certificate, trustedProxies } = readConfig(file, {})
  assert.deepEqual(certificate, { cert: join(folder, 'tls', 'cert.pem'), key: '/etc/key.pem' })
  assert.deepEqual(trustedProxies, ['10.0.0.0/8', '::1'])
})
