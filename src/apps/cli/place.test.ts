import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'

const top = join(import.meta.dirname, '..', '..', '..')
const [cluster, workload] = ['cluster.yaml', 'workload.yaml'].map((file) => join(top, 'examples', 'place', file)) as [
  string,
  string,
]

function run(...args: string[]): { code: number | null; out: string; err: string } {
  const script = join(top, 'bin', 'wattmill.mjs')
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { encoding: 'utf8' })
  return { code: status, out: stdout, err: stderr }
}

const planOf = (...args: string[]) => run('place', 'plan', ...args)

test('the example is planned without a factory: JSON alone on stdout, the same again, with the hash of its inputs', () => {
  const [one, again] = [1, 2].map(() => planOf('--cluster', cluster, '--workload', workload, '-o', 'json'))
  assert.equal(one?.code, 0, one?.err)
  assert.equal(one?.out, again?.out)
  const plan = JSON.parse(one?.out ?? '')
  assert.match(plan.inputs, /^sha256:[0-9a-f]{64}$/)
  assert.equal(plan.policy, 'place/1')
  assert.deepEqual([plan.totals.replicas_placed, plan.totals.replicas_refused], [7, 0])
  assert(plan.commands.length > 0 && plan.repartitions.length > 0)
  for (const decision of plan.decisions) assert(decision.because.length > 0 && decision.weighed.length > 0)
})

test('people read what goes where, why, and what to type', () => {
  const { code, out } = planOf('--cluster', cluster, '--workload', workload)
  assert.equal(code, 0)
  assert.match(out, /chat-70b-1 {2}placed/)
  assert.match(out, /becomes free: \$3\.20 an hour/)
  assert.match(out, /nvidia-smi mig -i \d -cgi \S+ -C {4}#/)
})

test('what is wrong in a file is told by line and column, with a code for scripts', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wm-place-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'cluster.yaml')
  const good = readFileSync(cluster, 'utf8')
  const tried = (text: string) => {
    writeFileSync(file, text)
    return planOf('--cluster', file, '--workload', workload)
  }
  const chip = tried(good.replace('chip: h200', 'chip: h2000'))
  assert.equal(chip.code, 2)
  assert.match(chip.err, /cluster\.yaml:\d+:\d+: nodes\[0\]\.chip is "h2000": one of a100-40/)
  assert.match(chip.err, /examples\/place\//)
  const slot = tried(good.replace('profile: 2g.35gb, start: 2', 'profile: 2g.35gb, start: 3'))
  assert.match(
    slot.err,
    /cluster\.yaml:\d+:\d+: standing\[2\]: rank-1 has a 2g\.35gb at slot 3, which h200-1 cannot have/,
  )
  assert.match(tried('').err, /the cluster is no group|nodes must be a list/)
  assert.equal(planOf('--cluster', join(folder, 'none'), '--workload', workload).code, 3)
  assert.equal(planOf('--cluster', cluster).code, 2)
})

test('a listing that no GPU has is refused, as mock tables give it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'wm-place-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'cluster.yaml')
  const node = (memory_slices: number) =>
    `nodes:\n  - { id: n, chip: h100-sxm, gpus: 1, cores: 8, memory_gib: 64, mig_profiles: [{ name: 3g.40gb, compute_slices: 3, memory_slices: ${memory_slices}, max_instances: 2, starts: [0, 4] }] }\n`
  writeFileSync(file, node(3))
  const wrong = planOf('--cluster', file, '--workload', workload)
  assert.match(wrong.err, /cannot be: H100-80GB 3g\.40gb: holds 40 of 80 GB in 3 of 8 slots/)
  writeFileSync(file, node(4))
  assert.equal(planOf('--cluster', file, '--workload', workload).code, 0)
})

test('chips: the catalogue, one chip with sources and slots, and the nearest name of an unknown one', () => {
  const all = JSON.parse(run('chips', 'list', '-o', 'json').out)
  assert(all.length >= 32)
  const one = run('chips', 'show', 'h200')
  assert.match(one.out, /3g\.71gb +9 +3 +4 +2 +0 4/)
  assert.match(one.out, /723 legal layouts/)
  const none = run('chips', 'show', 'h20')
  assert.deepEqual([none.code, /did you mean h200\?/.test(none.err)], [3, true])
})
