import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { findAccelerator } from '../catalogue.ts'
import { differences, geometryFaults, holdsMedia, type MigGeometry, type MigProfile } from './geometry.ts'
import { isMaximal, type Layouts, layoutsOf, legal, slicesOf, stateOf } from './layouts.ts'
import { sliceCard } from './slice-card.ts'
import { findMig, migTables } from './tables.ts'

const file = `${process.env.WATTMILL_DATA ?? '../shared/data'}/mig-profiles.json`
const mig = (model: string): MigGeometry => findMig(model) ?? assert.fail(model)
const layouts = (geometry: MigGeometry): Layouts => layoutsOf(geometry) ?? assert.fail(geometry.model)
const plain = (geometry: MigGeometry): MigGeometry => ({
  ...geometry,
  profiles: geometry.profiles.filter((profile) => !holdsMedia(profile)),
})
const states = (of: Layouts): number[] => [...of.sets.keys()]

test('the grid of 7 × 8 has 723 legal states, 78 of them maximal, with 38 different contents', () => {
  const sevens = migTables.filter((one) => one.memorySlices === 8 && plain(one).profiles.length === 6)
  assert.equal(sevens.length, 9)
  for (const geometry of sevens) {
    const all = layouts(plain(geometry))
    const maximal = states(all).filter((state) => isMaximal(all, state))
    const contents = maximal.map((state) =>
      slicesOf(all, state)
        .map(({ profile }) => profile.name)
        .toSorted()
        .join(),
    )
    assert.deepEqual([all.sets.length, maximal.length, new Set(contents).size], [723, 78, 38], geometry.model)
  }
})

test('enumeration and the rules agree on every set of slices of an A30', () => {
  const geometry = mig('A30')
  const all = layouts(geometry)
  let allowed = 0
  for (let set = 0; set < 1 << all.slices.length; set++) {
    const slices = all.slices.filter((_, index) => (set >> index) & 1)
    if (legal(geometry, slices)) allowed++
    assert.equal(stateOf(all, slices) !== undefined, legal(geometry, slices), `set ${set}`)
  }
  assert.equal(allowed, all.sets.length)
})

test('adding and removing undo each other, and no state exceeds the GPU', () => {
  const all = layouts(mig('H200-141GB'))
  const width = all.slices.length
  let edges = 0
  for (const state of states(all)) {
    assert((all.compute[state] ?? 9) <= 7 && (all.slots[state] ?? 256) < 256)
    for (let slice = 0; slice < width; slice++) {
      const larger = all.added[state * width + slice] ?? -1
      if (larger < 0) continue
      assert.equal(all.removed[larger * width + slice], state)
      edges++
    }
  }
  assert(edges > 5000, `only ${edges} edges`)
})

test('slot 7 is reached only by a double 1g at 6, a 3g at 4, or a 7g', () => {
  const last = layouts(plain(mig('H200-141GB'))).slices.filter(
    ({ profile, start }) => start + profile.memorySlices === 8,
  )
  assert.deepEqual(
    last.map(({ profile, start }) => `${profile.name}@${start}`),
    ['1g.35gb@6', '3g.71gb@4', '7g.141gb@0'],
  )
})

test('unknown starts stay unknown: such a GPU has no layouts until a node tells', () => {
  assert.equal(layoutsOf(mig('RTX-PRO-6000-Blackwell')), undefined)
})

test('our tables have no fault, and the wrong ones that public mocks carry are refused', () => {
  assert.deepEqual(migTables.flatMap(geometryFaults), [])
  // go-nvml's mocks of H100, H200 and B200: 3g on three slots, 7g on seven, and the double 1g on seven single slots.
  for (const model of ['H100-80GB', 'H200-141GB', 'B200']) {
    const held = mig(model)
    const wrong = (profile: MigProfile): MigProfile => {
      if (profile.computeSlices === 3) return { ...profile, memorySlices: 3 }
      if (profile.computeSlices === 7) return { ...profile, memorySlices: 7 }
      return profile.id === 15 ? { ...profile, memorySlices: 1, starts: [0, 1, 2, 3, 4, 5, 6] } : profile
    }
    const claimed = { ...held, profiles: held.profiles.map(wrong) }
    const faults = geometryFaults(claimed)
    for (const at of [3, 5, 6])
      assert(
        faults.some((fault) => fault.includes(` ${held.profiles[at === 6 ? 6 : at === 5 ? 2 : 4]?.name}:`)),
        `${model}: ${faults}`,
      )
    assert(differences(held, claimed).length >= 4)
  }
})

test('SM counts that do not match the hardware are named', () => {
  const held = mig('H100-80GB')
  const claimed = { ...held, profiles: held.profiles.map((one) => ({ ...one, sms: one.computeSlices * 16 })) }
  assert.deepEqual(differences(held, claimed), [
    'H100-80GB 1g.20gb: sms is 26, not 16',
    'H100-80GB 3g.40gb: sms is 60, not 48',
    'H100-80GB 7g.80gb: sms is 132, not 112',
  ])
})

test('a slice is as fast as its SMs and as wide as its slots', () => {
  const chip = findAccelerator('h100-sxm') ?? assert.fail()
  const geometry = mig('h100-sxm')
  const slice = (name: string) => {
    const profile = geometry.profiles.find((one) => one.name === name) ?? assert.fail(name)
    return sliceCard(chip, geometry, profile)
  }
  const peak = chip.peak.bf16 ?? assert.fail()
  assert.equal(slice('1g.20gb').peak.bf16, peak * (26 / 132))
  assert.equal(slice('3g.40gb').peak.bf16, peak * (60 / 132))
  assert.equal(slice('3g.40gb').bandwidth, 3350e9 / 2)
  assert.equal(slice('7g.80gb').peak.bf16, peak)
  assert.equal(slice('1g.10gb').memory, 9984 * 2 ** 20)
  const nvl = mig('H100-94GB-NVL')
  const first = nvl.profiles[0] ?? assert.fail()
  assert.equal(sliceCard(findAccelerator('h100-nvl') ?? assert.fail(), nvl, first).peak.bf16, null)
})

interface Published {
  readonly models: readonly {
    readonly model: string
    readonly memoryGB: number | null
    readonly computeSlicesTotal: number
    readonly memorySlicesTotal: number
    readonly migModeToggleNeedsGpuReset?: boolean
    readonly profiles: readonly Readonly<Record<string, unknown>>[]
  }[]
}

test('the tables say what the compiled data say', { skip: !existsSync(file) && `no ${file}` }, () => {
  const text = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, unknown>>
  const listed = Object.values(text).find((value): value is Published['models'] => {
    return Array.isArray(value) && typeof (value[0] as { model?: unknown }).model === 'string'
  })
  assert(listed && listed.length === 14)
  assert.deepEqual(
    migTables.map((one) => one.model),
    listed.map((one) => one.model),
  )
  for (const [index, row] of listed.entries()) {
    const held = migTables[index] ?? assert.fail()
    assert.equal(held.memory_gb, row.memoryGB)
    assert.deepEqual([held.computeSlices, held.memorySlices], [row.computeSlicesTotal, row.memorySlicesTotal])
    assert.equal(held.toggleResets, row.migModeToggleNeedsGpuReset ?? null)
    const sorted = (rows: readonly Readonly<Record<string, unknown>>[]) =>
      rows.toSorted((a, b) => String(a.name).localeCompare(String(b.name)))
    assert.deepEqual(
      sorted(
        held.profiles.map((one) => ({
          name: one.name,
          profileId: one.id,
          computeSlices: one.computeSlices,
          memorySlices: one.memorySlices,
          maxInstances: one.maxInstances,
          placementStarts: one.starts,
          memoryMiB: one.memory === null ? null : one.memory / 2 ** 20,
          sms: one.sms,
        })),
      ),
      sorted(row.profiles.map((one) => ({ profileId: null, memoryMiB: null, sms: null, ...one }))),
      row.model,
    )
  }
})
