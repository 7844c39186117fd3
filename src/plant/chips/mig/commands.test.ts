import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Repartition, repartition } from './commands.ts'
import { layoutsOf, type Slice, slicesOf } from './layouts.ts'
import { findMig } from './tables.ts'

const geometry = findMig('H200-141GB') ?? assert.fail()
const slice = (name: string, start: number): Slice => {
  const profile = geometry.profiles.find((one) => one.name === name) ?? assert.fail(name)
  return { profile, start }
}
const plan = (change: Partial<Repartition>) =>
  repartition({ gpu: '0', geometry, migMode: true, standing: [], wanted: [], ...change })?.map((step) => step.command)

test('a fresh H200: MIG mode on, then every instance at its start', () => {
  const wanted = [slice('3g.71gb', 4), slice('2g.35gb', 0), slice('1g.18gb', 2), slice('1g.18gb', 3)]
  assert.deepEqual(plan({ migMode: false, wanted }), [
    'nvidia-smi -i 0 -mig 1',
    'nvidia-smi mig -i 0 -cgi 9:4,14:0,19:2,19:3 -C',
    'nvidia-smi mig -i 0 -lgi',
  ])
})

test('instances that stay are not touched; only drained ones go', () => {
  const standing = [
    { ...slice('3g.71gb', 4), instance: 2 },
    { ...slice('2g.35gb', 0), instance: 5 },
    { ...slice('2g.35gb', 2), instance: 6 },
  ]
  const wanted = [slice('3g.71gb', 4), slice('4g.71gb', 0)]
  assert.deepEqual(plan({ standing, wanted }), [
    'nvidia-smi mig -i 0 -dci -gi 5,6',
    'nvidia-smi mig -i 0 -dgi -gi 5,6',
    'nvidia-smi mig -i 0 -cgi 5:0 -C',
    'nvidia-smi mig -i 0 -lgi',
  ])
  assert.deepEqual(plan({ standing, wanted: standing }), [])
})

test('an instance whose number is not known is looked up, never guessed', () => {
  const standing = [slice('3g.71gb', 4), slice('2g.35gb', 0)]
  assert.equal(plan({ standing, wanted: [slice('3g.71gb', 4)] })?.[1], 'nvidia-smi mig -i 0 -dci -gi ?')
  assert.deepEqual(plan({ standing })?.slice(0, 2), ['nvidia-smi mig -i 0 -dci', 'nvidia-smi mig -i 0 -dgi'])
})

test('what is not legal has no commands', () => {
  assert.equal(plan({ wanted: [slice('4g.71gb', 0), slice('2g.35gb', 2)] }), undefined)
  assert.equal(plan({ wanted: [slice('4g.71gb', 0), slice('3g.71gb', 4), slice('1g.18gb', 3)] }), undefined)
  assert.equal(plan({ wanted: [slice('2g.35gb', 1)] }), undefined)
})

test('from any layout to any other: destroyed and created are what differs', () => {
  const layouts = layoutsOf(geometry) ?? assert.fail()
  for (let seed = 1; seed < 2000; seed += 7) {
    const from = slicesOf(layouts, (seed * 7919) % layouts.sets.length)
    const to = slicesOf(layouts, (seed * 104_729) % layouts.sets.length)
    const standing = from.map((one, instance) => ({ ...one, instance }))
    const commands = plan({ standing, wanted: to }) ?? assert.fail(`seed ${seed}`)
    const made =
      commands
        .find((one) => one.includes('-cgi'))
        ?.split(' ')[5]
        ?.split(',').length ?? 0
    const gone =
      commands
        .find((one) => one.includes('-dgi'))
        ?.split(' ')[6]
        ?.split(',').length ?? 0
    assert.equal(from.length - gone + made, to.length, `seed ${seed}: ${commands.join('; ')}`)
  }
})
