import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { findAccelerators, parseAmd, parseNvidia } from './accelerators.ts'
import { cgroupLimits } from './cgroup.ts'
import { diskAt, syncTime } from './disk.ts'
import { availableIn, openFilesIn, readMachine, vectorsIn } from './machine.ts'

/** A made file system: paths and what stands in them. */
function tree(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = mkdtempSync(join(tmpdir(), 'wm-machine-'))
  t.after(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  return root
}

const version2 = { 'proc/self/cgroup': '0::/system.slice/wattmill.service\n' }
const groups = 'sys/fs/cgroup'

const cases: readonly (readonly [
  name: string,
  files: Readonly<Record<string, string>>,
  memory: number | null,
  cores: number | null,
])[] = [
  ['no control groups at all', {}, null, null],
  ['no limit', { ...version2, [`${groups}/system.slice/memory.max`]: 'max\n' }, null, null],
  [
    'the tightest of the group and those above it',
    {
      ...version2,
      [`${groups}/system.slice/wattmill.service/memory.max`]: '4294967296\n',
      [`${groups}/system.slice/memory.max`]: '2147483648\n',
      [`${groups}/system.slice/wattmill.service/cpu.max`]: '150000 100000\n',
      [`${groups}/system.slice/cpu.max`]: 'max 100000\n',
    },
    2147483648,
    1.5,
  ],
  [
    "a container's own tree, mounted as the root",
    { 'proc/self/cgroup': '0::/\n', [`${groups}/memory.max`]: '1073741824', [`${groups}/cpu.max`]: '200000 100000' },
    1073741824,
    2,
  ],
  [
    'a container that sees the path of its host',
    { 'proc/self/cgroup': '0::/kubepods/pod1/c1\n', [`${groups}/memory.max`]: '1073741824' },
    1073741824,
    null,
  ],
  [
    'version 1, where no limit is a number near 2^63',
    {
      'proc/self/cgroup': '5:memory:/docker/abc\n4:cpu,cpuacct:/docker/abc\n1:name=systemd:/\n0::/\n',
      [`${groups}/memory/docker/abc/memory.limit_in_bytes`]: '536870912\n',
      [`${groups}/memory/memory.limit_in_bytes`]: '9223372036854771712\n',
      [`${groups}/cpu/docker/abc/cpu.cfs_quota_us`]: '50000\n',
      [`${groups}/cpu/docker/abc/cpu.cfs_period_us`]: '100000\n',
      [`${groups}/cpu/cpu.cfs_quota_us`]: '-1\n',
      [`${groups}/cpu/cpu.cfs_period_us`]: '100000\n',
    },
    536870912,
    0.5,
  ],
]
for (const [name, files, memory_bytes, cpu_cores] of cases)
  test(`control groups: ${name}`, (t) => {
    assert.deepEqual(cgroupLimits(tree(t, files)), { memory_bytes, cpu_cores })
  })

test('nvidia-smi: names with commas, boards that do not say, MIG', () => {
  const said = [
    'NVIDIA H100 80GB HBM3, 81559, 700.00, Enabled, 550.54.15',
    'Quadro, old, 4096, [N/A], [N/A], 470.1',
    'No devices were found',
  ]
  assert.deepEqual(parseNvidia(said.join('\n')), [
    {
      vendor: 'nvidia',
      name: 'NVIDIA H100 80GB HBM3',
      memory_bytes: 81559 * 1024 ** 2,
      power_limit_w: 700,
      mig: true,
      driver: '550.54.15',
    },
    {
      vendor: 'nvidia',
      name: 'Quadro, old',
      memory_bytes: 4096 * 1024 ** 2,
      power_limit_w: null,
      mig: null,
      driver: '470.1',
    },
  ])
})

test('rocm-smi: cards alone, whatever the case of their fields', () => {
  const said = {
    card0: {
      'Card Series': 'AMD Instinct MI300X',
      'VRAM Total Memory (B)': '206141652992',
      'Max Graphics Package Power (W)': '750.0',
    },
    card1: { 'Card series': 'Radeon', 'Card model': '0x73bf' },
    system: { 'Driver version': '6.7.0' },
  }
  const [first, second, ...more] = parseAmd(JSON.stringify(said))
  assert.deepEqual([first?.name, first?.memory_bytes, first?.power_limit_w], ['AMD Instinct MI300X', 206141652992, 750])
  assert.deepEqual([second?.name, second?.memory_bytes, more.length], ['Radeon', null, 0])
})

test('a tool that is not there, or fails, is said', { skip: process.platform === 'win32' }, async (t) => {
  const root = tree(t, { 'rocm-smi': '#!/bin/sh\necho not JSON\n' })
  chmodSync(join(root, 'rocm-smi'), 0o755)
  const { found, notes } = await findAccelerators('/nowhere/nvidia-smi', join(root, 'rocm-smi'))
  assert.equal(found.length, 0)
  assert.match(notes[0] ?? '', /^\/nowhere\/nvidia-smi is not installed$/)
  assert.match(notes[1] ?? '', /rocm-smi failed: .*JSON/)
})

test('what the kernel says of memory, vectors and open files', () => {
  assert.equal(availableIn('MemTotal:  100 kB\nMemFree: 1 kB\nMemAvailable:      42 kB\n'), 42 * 1024)
  assert.equal(availableIn(''), undefined)
  assert.equal(vectorsIn('processor : 0\nflags\t\t: fpu sse4_2 avx avx2 avx512f\n'), 'avx512f')
  assert.equal(vectorsIn('Features\t: fp asimd sve\n'), 'sve')
  assert.equal(vectorsIn('flags : fpu sse2\n'), null)
  assert.equal(openFilesIn('Max open files            1024                 524288               files'), 524288)
  assert.equal(openFilesIn(''), null)
})

test('this machine, whatever it is, is described in figures that can be', async (t) => {
  const machine = await readMachine(tree(t, { 'etc/os-release': 'PRETTY_NAME="Made up 1"\n' }))
  assert.equal(machine.system.distribution, 'Made up 1')
  assert(machine.cpu.usable >= 1 && machine.cpu.threads >= 1)
  assert(machine.memory.available_bytes > 0 && machine.memory.available_bytes <= machine.memory.total_bytes)
})

test('a disk is measured and left as it was', async (t) => {
  const folder = tree(t, {})
  assert(Number.isFinite(await syncTime(folder)))
  assert.deepEqual(readdirSync(folder), [])
  const { free_bytes, total_bytes } = await diskAt(folder)
  assert(free_bytes > 0 && total_bytes >= free_bytes)
  await assert.rejects(syncTime(join(folder, 'nowhere')))
})
