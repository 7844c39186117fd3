import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Engine, Figures, Floor, Model, Status } from '../lib/contract.ts'
import { chipsHead } from './chips.ts'
import { pictureOf } from './picture.ts'
import type { Seen } from './thing.ts'

const figures = (values: Readonly<Record<string, number>>): Figures =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value, unit: '', source: 'measured' }]))

interface Size {
  readonly engines: number
  readonly models: number
  readonly apps: number
  readonly flows: readonly (readonly [number, number, number, number])[]
}

/** A factory with an embedded engine, some elsewhere of which every other one declared its chips and has a meter, and traffic. */
function factory({ engines, models, apps, flows }: Size): Seen {
  const served = Object.fromEntries(Array.from({ length: models }, (_, n) => [`model-${n}`, `model-${n}`]))
  const elsewhere = Array.from({ length: engines }, (_, n) => ({
    name: `engine-${n}`,
    url: `http://e${n}/v1`,
    chips: n % 2 === 0 ? `h200:${n + 1}` : null,
    meters: n % 2 === 0 ? [`meter-${n}`] : [],
    models: served,
    concurrency: 8,
    running: n % 3,
    up: n % 5 !== 4,
    draining: false,
  }))
  const embedded = {
    ...elsewhere[0],
    name: 'embedded',
    url: null,
    chips: null,
    meters: [],
    models: served,
    running: 0,
    up: true,
  }
  const meters = ['cpu', ...elsewhere.flatMap(({ meters }) => meters)]
  return {
    floor: {
      at_ms: 0,
      seconds: 60,
      figures: figures({}),
      meters: meters.map((meter, n) => ({ meter, figures: figures({ power_w: 10 * (n + 1), idle_w: 1 }) })),
      engines: [],
      models: Array.from({ length: models }, (_, n) => ({
        name: `model-${n}`,
        figures: figures({ output_tokens_per_s: n }),
      })),
      applications: Array.from({ length: apps }, (_, n) => ({
        name: `tenant/app%20${n}`,
        figures: figures({ output_tokens_per_s: n, requests_per_min: n }),
      })),
      flows: flows.map(([engine, model, app, rate]) => ({
        replica: `engine-${engine}`,
        model: `model-${model}`,
        tenant: 'tenant',
        application: `app ${app}`,
        output_tokens_per_s: rate,
        input_tokens_per_s: rate,
      })),
    } satisfies Floor,
    status: { engine_host: { up: true, running: 0, slots: 4 } } as unknown as Status,
    engines: [embedded, ...elsewhere] as unknown as Engine[],
    models: Object.keys(served).map((model): Model => ({ model, engines: [], state: 'ready' }) as unknown as Model),
    machine: { cpu: { model: 'AMD EPYC(TM) 7B13 64-Core Processor', usable: 8 }, accelerators: { found: [] } },
  }
}

const sizes = fc.record({
  engines: fc.nat(12),
  models: fc.nat(12),
  apps: fc.nat(12),
  flows: fc.array(fc.tuple(fc.nat(11), fc.nat(11), fc.nat(11), fc.double({ min: 0, max: 500, noNaN: true })), {
    maxLength: 20,
  }),
})

test('whatever the factory: each layer fits, and between two layers flows no more than all', () => {
  fc.assert(
    fc.property(sizes, fc.integer({ min: 2, max: 8 }), (size, room) => {
      const { things, links } = pictureOf(factory(size), room)
      const layerOf = new Map(things.map(({ id, layer }) => [id, layer]))
      assert.equal(layerOf.size, things.length, 'no box is there twice')
      for (const layer of [0, 1, 2, 3, 4]) assert(things.filter((thing) => thing.layer === layer).length <= room)
      const pairs = links.map(({ from, to }) => `${from} ${to}`)
      assert.equal(new Set(pairs).size, pairs.length, 'two boxes have one link')
      for (const layer of [0, 1, 2, 3]) {
        const sum = links
          .filter(({ from }) => layerOf.get(from) === layer)
          .reduce((total, { share }) => total + share, 0)
        assert(sum <= 1.0001, `${sum} of all flows from layer ${layer}`)
      }
      for (const { from, to } of links)
        if (layerOf.has(from) && layerOf.has(to)) assert.equal(Number(layerOf.get(to)) - Number(layerOf.get(from)), 1)
    }),
  )
})

test('what does not fit is counted in one box, which takes the links of those that it stands for', () => {
  const { things, links } = pictureOf(
    factory({
      engines: 1,
      models: 1,
      apps: 9,
      flows: [
        [0, 0, 0, 4],
        [0, 0, 8, 6],
      ],
    }),
    4,
  )
  const more = things.find(({ id }) => id === 'more:4')
  assert.equal(more?.title, '6 more')
  const shares = links.filter(({ from }) => from === 'model:model-0').map(({ to, share }) => [to, share])
  assert.deepEqual(shares, [
    ['app:tenant/app%200', 0.4],
    ['more:4', 0.6],
  ])
})

test('a factory that nobody asks says how to begin; chips are counted, and a machine is called by its name', () => {
  const seen = factory({ engines: 3, models: 0, apps: 0, flows: [] })
  const { things } = pictureOf(seen, 6)
  assert.equal(things.find(({ layer }) => layer === 4)?.title, 'Nobody asks now')
  assert.equal(things.find(({ id }) => id === 'chip:here')?.title, 'AMD EPYC 7B13 64-Core')
  assert.equal(chipsHead(seen.engines), 'this machine + 4 chips')
  assert.equal(chipsHead([]), 'none known')
})
