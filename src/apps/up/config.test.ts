import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { ControlError } from '../operator/errors.ts'
import { temporary } from '../operator/testing.ts'
import { parseConfig, readConfig, readCosts } from './config.ts'
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
  ['costs: 5', /^f:1:8: costs is a list such as/],
  ['cost: []', /^f:1:1: unknown setting cost; did you mean costs\?$/],
  ['costs:\n  - staff', /^f:2:5: a cost is a group such as/],
  ['costs:\n  - {kind: stuff, name: ops, per_month: 5}', /^f:2:6: kind must be .* capacity, list,/],
  ['costs:\n  - kind: staff\n    per_mont: 5', /^f:3:5: unknown field "per_mont"; did you mean per_month\?$/],
  ['costs:\n  - kind: staff\n    per_month: -5', /^f:3:5: per_month must match pattern .*a decimal number/],
  ['costs:\n  - kind: staff\n    per_month: 1e3', /^f:3:5: per_month must match pattern/],
  ['costs:\n  - {kind: staff, name: ops}', /^f:2:5: say one of per_hour/],
  ['costs:\n  - {kind: tariff, value: 0.08, from: 2027-01-31}', /^f:2:33: from is not for a file/],
  [
    'costs:\n  - {kind: tariff, value: 0.08}\n  - {kind: tariff, value: 0.09}',
    /^f:3:6: tariff all stands above already$/,
  ],
  ['costs:\n  - {kind: tariff, file: nowhere.csv}', /^f:2:20: there is no file .*nowhere.csv$/],
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

test('costs are read exactly as they are written, each with its line; a curve lies beside the file', () => {
  const folder = temporary()
  const file = join(folder, 'w.yaml')
  writeFileSync(join(folder, 'tariff.csv'), 'at,value\n2027-01-31T13:00:00Z,0.08\n')
  writeFileSync(
    file,
    'port: 1\ncosts:\n  - {kind: staff, name: ops, per_month: 9000.10}\n  - kind: capacity\n    name: h100\n    capex_usd: 250000\n' +
      '    years: 5\n  - {kind: pue, value: 1.20, rules: [{months: [7], value: 1.30}]}\n  - {kind: tariff, file: tariff.csv}\n',
  )
  assert.deepEqual(readCosts(file), [
    { kind: 'staff', name: 'ops', per_month: '9000.10', at: 'w.yaml:3' },
    { kind: 'capacity', name: 'h100', capex_usd: 250_000, years: 5, at: 'w.yaml:4' },
    { kind: 'pue', value: '1.20', rules: [{ months: [7], value: '1.30' }], at: 'w.yaml:8' },
    { kind: 'tariff', value: '0.08', points: [{ at: '2027-01-31T13:00:00Z', value: '0.08' }], at: 'w.yaml:9' },
  ])
  assert.equal(readConfig(file, {}).port, 1)
  writeFileSync(file, 'port: 1\n')
  assert.equal(readCosts(file), undefined, 'a file that says nothing of costs touches none')
  writeFileSync(file, 'costs: []\n')
  assert.deepEqual(readCosts(file), [])
})
