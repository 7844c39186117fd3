import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Accelerator } from './accelerator.ts'
import { powerRange } from './card.ts'
import { accelerators, findAccelerator, groupOf, sourcesOf } from './catalogue.ts'

const data = process.env.WATTMILL_DATA ?? '../shared/data'
const file = `${data}/accelerators.json`

interface Published {
  readonly accelerators: readonly (Readonly<Record<string, unknown>> & {
    readonly id: string
    readonly dense_tflops: Readonly<Record<string, number | null>>
  })[]
}

const facts = Object.keys(groupOf).filter((key) => key !== 'peak') as Exclude<keyof typeof groupOf, 'peak'>[]

test('every known fact has a source, and ids are unique', () => {
  assert(accelerators.length >= 32)
  assert.equal(new Set(accelerators.map((one) => one.id)).size, accelerators.length)
  const bare = accelerators.flatMap((chip) =>
    facts
      .filter((fact) => chip[fact] !== null && sourcesOf(chip, fact).length === 0)
      .map((fact) => `${chip.id}.${fact}`),
  )
  assert.deepEqual(bare, [])
  const idle = accelerators.flatMap((chip) => Object.keys(chip.sources).filter((group) => !grouped(chip, group)))
  assert.deepEqual(idle, [], 'a source stands behind something')
})

const grouped = (chip: Accelerator, group: string): boolean =>
  facts.some((fact) => groupOf[fact] === group && chip[fact] !== null)

test('a faster format is never slower, and nothing is zero or negative', () => {
  for (const { id, peak, memory, bandwidth, full, idle } of accelerators) {
    for (const value of [...Object.values(peak), memory, bandwidth, full, idle]) assert(value === null || value > 0, id)
    if (peak.bf16 !== null && peak.fp8 !== null) assert(peak.fp8 >= peak.bf16, id)
    if (peak.fp8 !== null && peak.fp4 !== null) assert(peak.fp4 >= peak.fp8, id)
    if (idle !== null && full !== null) assert(idle < full, id)
  }
})

test('idle power is stated or said to be assumed, and unknown where the TDP is', () => {
  const [h100, h200, tpu] = ['h100-sxm', 'h200', 'tpu-v5p'].map((id) => findAccelerator(id) ?? assert.fail(id))
  assert.deepEqual(powerRange(h100 as Accelerator), { idle: 75, full: 700, idleFrom: 'stated' })
  assert.deepEqual(powerRange(h200 as Accelerator), { idle: 70, full: 700, idleFrom: 'assumed' })
  assert.equal(powerRange(tpu as Accelerator), undefined)
})

test('the catalogue says what the compiled data say: no value lost, none invented', {
  skip: !existsSync(file) && `no ${file}`,
}, () => {
  const published = JSON.parse(readFileSync(file, 'utf8')) as Published
  assert.deepEqual(accelerators.map((one) => one.id).toSorted(), published.accelerators.map((one) => one.id).toSorted())
  for (const row of published.accelerators) {
    const chip = findAccelerator(row.id)
    assert(chip)
    assert.deepEqual(dataSheet(chip), {
      vendor: row.vendor,
      name: row.name,
      memory_gb: row.memory_gb,
      bandwidth_gbs: row.bandwidth_gbs,
      tdp_w: row.tdp_w,
      interconnect_gbs: row.interconnect_gbs,
      rental: row.rental_usd_per_hr,
      ownership: row.tco_usd_per_hr,
      purchase: row.purchase_usd,
      all_in_kw: row.all_in_kw_per_chip,
      bf16: row.dense_tflops.bf16,
      fp8: row.dense_tflops.fp8,
      fp4: row.dense_tflops.fp4,
      int8: row.dense_tflops.int8,
    })
  }
})

const scaled = (value: number | null, by: number): number | null =>
  value === null ? null : Number((value / by).toPrecision(12))

const dataSheet = (chip: Accelerator): Readonly<Record<string, unknown>> => ({
  vendor: chip.vendor,
  name: chip.name,
  memory_gb: scaled(chip.memory, chip.memory !== null && chip.memory % 1e6 === 0 ? 1e9 : 2 ** 30),
  bandwidth_gbs: scaled(chip.bandwidth, 1e9),
  tdp_w: chip.full,
  interconnect_gbs: scaled(chip.link, 1e9),
  rental: chip.rental && [chip.rental.low, chip.rental.high],
  ownership: chip.ownership && [chip.ownership.hyperscaler, chip.ownership.neocloud],
  purchase: chip.purchase_usd && [chip.purchase_usd.low, chip.purchase_usd.high],
  all_in_kw: scaled(chip.allIn, 1000),
  bf16: scaled(chip.peak.bf16, 1e12),
  fp8: scaled(chip.peak.fp8, 1e12),
  fp4: scaled(chip.peak.fp4, 1e12),
  int8: scaled(chip.peak.int8, 1e12),
})
