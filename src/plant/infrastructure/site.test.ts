import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bytes, seconds, watts } from '../../units/quantity.ts'
import type { Accelerator } from '../chips/accelerator.ts'
import { accelerators, findAccelerator } from '../chips/catalogue.ts'
import { ports, tensorParallelLimit } from './fabric.ts'
import { coolingCeiling, densities, nameplate, type Rack, usable } from './rack.ts'
import { assumedStorage, loadTime, slotRate, tiers, warmUp } from './storage.ts'

const chip = (id: string): Accelerator => findAccelerator(id) ?? assert.fail(id)

test('a rack runs at the lower of its feed and its cooling', () => {
  const rack: Rack = {
    id: 'r',
    row: null,
    feed: null,
    power: watts(60_000),
    cooling: 'air',
    cooled: coolingCeiling.air,
  }
  assert.equal(usable(rack), 30_000)
  assert.equal(usable({ ...rack, power: watts(17_000) }), 17_000)
  for (const { name, watts: drawn, cooling } of densities) assert(drawn <= coolingCeiling[cooling], name)
})

test('an HGX of eight B200 reserves what such a system was measured to draw, and not twice of it', () => {
  const node = 8 * (nameplate(chip('b200')) ?? assert.fail())
  assert(node >= 10_400 && node <= 11_000, `${node} W`)
  assert.equal(nameplate(chip('tpu-v5p')), undefined)
})

test('what talks over PCIe shares no layers, or few', () => {
  assert.equal(tensorParallelLimit(chip('h200'), 8).most, 8)
  assert.equal(tensorParallelLimit(chip('gb200'), 72).most, 72)
  assert.equal(tensorParallelLimit(chip('l40s'), 8).most, 1)
  assert.equal(tensorParallelLimit(chip('rtx-pro-6000-server'), 8).most, 2)
  assert.equal(tensorParallelLimit(chip('t4'), 4).most, 1)
  for (const one of accelerators) assert(tensorParallelLimit(one, 8).most >= 1, one.id)
})

test('the nearer the weights, the sooner the replica: and never sooner than the slots allow', () => {
  const weights = bytes(141e9)
  const slot = slotRate(chip('h200'))
  const times = tiers.map((tier) => loadTime(weights, tier, assumedStorage, slot, 4))
  assert.equal(times[0], 0)
  times.forEach((time, at) => {
    if (at > 0) assert(time > (times[at - 1] ?? 0))
  })
  assert.equal(loadTime(weights, 'host', assumedStorage, slot, 1), 141e9 / 64e9)
  assert.equal(loadTime(weights, 'nvme', assumedStorage, slot, 8), 141e9 / 14e9)
  assert.equal(warmUp(loadTime(weights, 'nvme', assumedStorage, slot, 8), seconds(20)), 141e9 / 14e9 + 20)
  assert.equal(slotRate(chip('l40s')), 32e9)
  assert.equal(ports['infiniband-ndr'], 50e9)
})
