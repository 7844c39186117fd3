import assert from 'node:assert/strict'
import { chmodSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { testCertificate } from '../../../adapters/http/testing-certificate.ts'
import type { Machine } from '../../../adapters/machine/machine.ts'
import { lonelyOperator, temporary } from '../testing.ts'
import { checks, type Finding } from './finding.ts'
import { homeFindings, kind } from './home.ts'
import { clockBehind, machineFindings } from './machine.ts'
import { networkFindings } from './network.ts'
import { sourceFinding } from './telemetry.ts'

const GiB = 1024 ** 3

const healthy: Machine = {
  system: { platform: 'linux', arch: 'x64', kernel: '6.1', distribution: 'Made up 1', virtual: null },
  cpu: { model: 'A CPU', threads: 8, usable: 8, vectors: 'avx2' },
  memory: { total_bytes: 16 * GiB, available_bytes: 8 * GiB },
  limits: { memory_bytes: null, cpu_cores: null },
  open_files: 1_048_576,
  accelerators: { found: [], notes: ['nvidia-smi is not installed'] },
  clock_synchronised: true,
}
const measured = { found: true, meters: [] } as const

const stateOf = (findings: readonly Finding[], check: Finding['check']): string =>
  findings.find((finding) => finding.check === check)?.state ?? 'not looked at'

const amiss: readonly (readonly [check: Finding['check'], change: Partial<Machine>, says: RegExp])[] = [
  ['cpu', { cpu: { ...healthy.cpu, vectors: 'avx' } }, /AVX2/],
  ['cpu', { cpu: { ...healthy.cpu, usable: 1 } }, /two cores/],
  ['cpu', { limits: { memory_bytes: null, cpu_cores: 1.5 } }, /engine\.threads to 1/],
  ['memory', { memory: { total_bytes: GiB, available_bytes: 0.1 * GiB } }, /512 MiB/],
  ['memory', { limits: { memory_bytes: 0.25 * GiB, cpu_cores: null } }, /raise the limit/],
  ['accelerators', { accelerators: { found: [], notes: ['nvidia-smi failed: no driver'] } }, /driver/],
  ['open-files', { open_files: 1024 }, /ulimit/],
  ['clock', { clock_synchronised: false }, /set-ntp/],
]

test('a healthy machine has nothing to fix', () => {
  for (const finding of machineFindings(healthy, measured)) assert.equal(finding.state, 'good', finding.check)
})

for (const [check, change, says] of amiss)
  test(`${check}: ${JSON.stringify(change)} comes with its fix, and nothing else is blamed`, () => {
    const findings = machineFindings({ ...healthy, ...change }, measured)
    const bad = findings.filter((finding) => finding.state !== 'good')
    assert.deepEqual(
      bad.map((finding) => finding.check),
      [check],
    )
    assert.match(bad[0]?.state === 'warning' ? bad[0].fix : '', says)
  })

test('an energy meter that may not be read has another fix than one that is not there', () => {
  const fixes = ['EACCES: permission denied', 'no package domain'].map((why) => {
    const found = machineFindings(healthy, { found: false, why }).find(({ check }) => check === 'energy-meter')
    return found?.state === 'warning' ? found.fix : ''
  })
  assert.match(fixes[0] ?? '', /^sudo chmod a\+r/)
  assert.match(fixes[1] ?? '', /power\.idle_watts/)
})

test('boards of one kind are counted, not listed', () => {
  const board = {
    vendor: 'nvidia',
    name: 'H100',
    memory_bytes: 80 * GiB,
    power_limit_w: 700,
    mig: false,
    driver: '1.2',
  } as const
  const [found] = machineFindings({ ...healthy, accelerators: { found: [board, board], notes: [] } }, measured).filter(
    ({ check }) => check === 'accelerators',
  )
  assert.equal(found?.found, '2 × H100, 80.0 GiB, limited to 700 W, driver 1.2')
})

test('who can reach the port, and until when the certificate holds', () => {
  const folder = temporary()
  const files = { cert: join(folder, 'c.pem'), key: join(folder, 'k.pem') }
  const now = Date.now()
  const write = (days: number): void => {
    const pair = testCertificate('me', now + days * 86_400_000)
    writeFileSync(files.cert, pair.cert)
    writeFileSync(files.key, pair.key)
  }
  const states = (host: string, certificate?: typeof files): string[] => {
    const findings = networkFindings({ host, certificate }, now)
    return [stateOf(findings, 'network'), stateOf(findings, 'certificate')]
  }
  assert.deepEqual(states('127.0.0.1'), ['good', 'not looked at'])
  assert.deepEqual(states('0.0.0.0'), ['warning', 'not looked at'])
  write(60)
  assert.deepEqual(states('0.0.0.0', files), ['good', 'good'])
  write(3)
  assert.deepEqual(states('::', files), ['good', 'warning'])
  rmSync(files.key)
  assert.deepEqual(states('::', files), ['good', 'bad'])
})

test('a home that others can read is told with the command that shuts it', {
  skip: process.platform === 'win32',
}, async () => {
  const { factory } = await lonelyOperator()
  const { home } = factory
  const states = async () => {
    const findings = await homeFindings(home)
    return [stateOf(findings, 'home-permissions'), stateOf(findings, 'admin-key')]
  }
  assert.deepEqual(await states(), ['good', 'good'])
  chmodSync(home.pepper, 0o640)
  assert.deepEqual(await states(), ['bad', 'good'])
  chmodSync(home.pepper, 0o600)
  chmodSync(home.adminKey, 0o604)
  assert.deepEqual(await states(), ['good', 'bad'])
  rmSync(home.adminKey)
  assert.deepEqual(await states(), ['good', 'warning'])
})

test('disks that forget, and clocks that went back', () => {
  const states = [null, 'tmpfs', 'nfs', 'overlayfs'].map((one) => kind({ kind: one }).state)
  assert.deepEqual(states, ['good', 'bad', 'warning', 'warning'])
  assert.deepEqual([clockBehind(null, 5), clockBehind(9_000, 5_000)], [[], []])
  assert.equal(clockBehind(70_000, 5_000)[0]?.state, 'bad')
})

test('every check that a script may look for stands in the documentation, and none is there that is not made', () => {
  const page = readFileSync(new URL('../../../../docs/operations.md', import.meta.url), 'utf8')
  const [, doctor = ''] = page.split('\n## wattmill doctor\n')
  const listed = [...doctor.matchAll(/^\| `([\w-]+)` \| ([^|]+) \|$/gm)].map(([, name, means]) => [name, means])
  assert.deepEqual(listed, Object.entries(checks))
})

test('a source of telemetry that is silent is told with what it last did; one that was not asked yet is not blamed', () => {
  const trouble = 'http://127.0.0.1:9400/metrics: connection refused'
  const silent = sourceFinding('engine gpu', { stale: true, trouble })
  assert.deepEqual([silent.state, silent.state === 'warning' && silent.fix], ['warning', 'wattmill engines probe gpu'])
  assert(silent.found.includes(trouble))
  assert.equal(sourceFinding('engine gpu', { stale: true, trouble: undefined }).state, 'good')
  assert.equal(sourceFinding('engine gpu', { stale: false, trouble }).state, 'good', 'it answered a moment ago')
})
