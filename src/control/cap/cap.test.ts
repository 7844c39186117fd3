import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { SloClass } from '../../books/slo-class.ts'
import { watts } from '../../units/quantity.ts'
import { PowerCap } from './cap.ts'
import { exactly, PowerCurve } from './curve.ts'
import type { CapDecision } from './decision.ts'
import type { PowerEvent, PowerLimit } from './limit.ts'
import type { Demand, Load } from './load.ts'
import { judged, planWithin, type Settable } from './plan.ts'
import { pointsOf } from './settings.ts'

const start_ms = 1_790_000_000_000

/** Eight boards as they really are: at rest 80 W, 400 W with the first request, 700 W with 64. */
const drawnBy = (running: number): number => (running === 0 ? 80 : 400 + (300 * Math.min(64, running)) / 64)

class Plant {
  now_ms = start_ms
  readonly running: number[]
  readonly asked = new Map<string, number>()
  readonly silent = new Set<number>()
  readonly deaf = new Set<number>()
  limits: PowerLimit[]
  demands: Demand[]
  readonly cap = new PowerCap()
  readonly #limiters: (number | undefined)[]
  #readings: Load['reading'][] = []

  constructor(boards: number, limits: PowerLimit[], demands: Demand[], devices = false) {
    this.running = Array.from({ length: boards }, () => 0)
    this.#limiters = this.running.map(() => (devices ? 700 : undefined))
    this.limits = limits
    this.demands = demands
  }

  power(at: number): number {
    return Math.min(drawnBy(this.running[at] ?? 0), this.#limiters[at] ?? Number.POSITIVE_INFINITY)
  }

  get all_w(): number {
    return this.running.reduce((sum, _, at) => sum + this.power(at), 0)
  }

  loads(): Load[] {
    return this.running.map((running, at) => ({
      name: `b${at}`,
      engines: [{ name: `b${at}`, models: ['m'], concurrency: 64, running }],
      idle: watts(80),
      full: watts(700),
      reading: this.#readings[at] ?? null,
      period_ms: 1000,
      limiter:
        this.#limiters[at] === undefined
          ? null
          : { least: watts(200), most: watts(700), confirmed: watts(this.#limiters[at] ?? 0) },
    }))
  }

  /** A second: the meters are read, it is decided, and what is decided is done by the next second. */
  second(): CapDecision | undefined {
    this.now_ms += 1000
    this.#readings = this.running.map((_, at) =>
      this.silent.has(at) ? (this.#readings[at] ?? null) : { power: watts(this.power(at)), at_ms: this.now_ms },
    )
    const decision = this.cap.decide({
      now_ms: this.now_ms,
      limits: this.limits,
      loads: this.loads(),
      demands: this.demands,
    })
    if (!decision) return undefined
    const { concurrency } = pointsOf(decision)
    const wanted = this.demands.reduce((sum, { requests }) => sum + requests, 0)
    for (const at of this.running.keys()) {
      const most = [...concurrency].find(([name]) => name === `b${at}`)?.[1] ?? 64
      const alike = Math.ceil(wanted / this.running.length)
      this.running[at] = Math.min(most, alike)
      const held = decision.settings.find(({ load }) => load === `b${at}`)
      if (this.#limiters[at] !== undefined && !this.deaf.has(at)) this.#limiters[at] = held?.power ?? 700
    }
    return decision
  }

  seconds(count: number): CapDecision {
    let last: CapDecision | undefined
    for (let second = 0; second < count; second++) last = this.second() ?? last
    assert(last, 'it has decided')
    return last
  }
}

const site = (limit: number, more: Partial<PowerLimit> = {}): PowerLimit => ({
  name: 'site',
  limit: watts(limit),
  engines: null,
  other: watts(0),
  events: [],
  ...more,
})

const wish = (slo: SloClass, requests: number, worth: number): Demand => ({ model: 'm', slo, requests, worth })
const everyday = [wish('interactive', 100, 60), wish('standard', 100, 20), wish('batch', 312, 1)]

test('a limit that nobody reaches keeps nobody from anything', () => {
  const plant = new Plant(8, [site(8 * 700)], everyday)
  const { settings, held, alarms, limits } = plant.seconds(60)
  assert.deepEqual([settings, held, alarms, limits[0]?.binds], [[], [], [], false])
})

test('under a limit of 60 % of what it could draw it draws less, batches wait, and what earns more has its places', () => {
  const plant = new Plant(8, [site(8 * 700)], everyday)
  plant.seconds(60)
  plant.limits = [site(0.6 * 8 * 700)]
  const { held, limits, alarms } = plant.seconds(30)
  assert(plant.all_w <= 0.6 * 8 * 700, `${plant.all_w} W`)
  assert(plant.all_w > 0.75 * 0.6 * 8 * 700, `and what may be drawn is used: ${plant.all_w} W, ${plant.running}`)
  assert.deepEqual(held, [{ model: 'm', slo: 'batch' }])
  assert.deepEqual([limits[0]?.binds, alarms], [true, []])
  const places = plant.running.reduce((sum, one) => sum + one, 0)
  assert(places >= 200, `${places} places for 200 that earn more than batches`)
})

test('a lower limit that is known of is kept to before it begins, and no longer than it lasts', () => {
  const event: PowerEvent = { id: 'e', limit: watts(2000), from_ms: start_ms + 100_000, until_ms: start_ms + 200_000 }
  const plant = new Plant(8, [site(5600, { events: [event] })], everyday)
  for (let second = 1; second <= 260; second++) {
    plant.second()
    const isOn = plant.now_ms >= event.from_ms && plant.now_ms < event.until_ms
    if (isOn) assert(plant.all_w <= 2000, `${plant.all_w} W in second ${second}`)
    if (second === 65) assert(plant.all_w > 5000, 'it does not begin too early')
  }
  assert(plant.all_w > 5000)
})

test('a meter that says nothing counts at the most that its equipment can draw, and others give way', () => {
  const plant = new Plant(4, [site(2000)], everyday)
  plant.seconds(60)
  plant.silent.add(0)
  const { alarms, limits } = plant.seconds(10)
  assert.deepEqual(alarms, [{ kind: 'silent', load: 'b0', watts: 700 }])
  assert.equal(limits[0]?.reserved, 700)
  const others = [1, 2, 3].reduce((sum, at) => sum + plant.power(at), 0)
  assert(others <= 1300, `${others} W beside the 700 W that nobody sees`)
})

test('where what cannot be seen may be more than all that is allowed, it is turned off, and that is told', () => {
  const plant = new Plant(4, [site(2000)], everyday)
  plant.seconds(60)
  for (const at of plant.running.keys()) plant.silent.add(at)
  const { settings, alarms } = plant.seconds(5)
  assert.deepEqual(
    settings.flatMap(({ engines }) => [...engines.values()]),
    [0, 0, 0, 0],
  )
  assert(alarms.some((alarm) => alarm.kind === 'impossible' && alarm.watts === 800))
})

test('a device that does not take its limit is told of, and counted as one that cannot be told', () => {
  const plant = new Plant(4, [site(1300)], everyday, true)
  plant.deaf.add(0)
  plant.seconds(60)
  plant.limits = [site(1000)]
  const { alarms } = plant.seconds(30)
  assert(
    alarms.some((alarm) => alarm.kind === 'deaf' && alarm.load === 'b0'),
    JSON.stringify(alarms),
  )
  assert(plant.all_w <= 1000, `${plant.all_w} W`)
})

test('devices are held before anybody is refused: that costs least', () => {
  const plant = new Plant(8, [site(0.75 * 5600)], [wish('interactive', 512, 60)], true)
  const { settings } = plant.seconds(60)
  assert(settings.some(({ power }) => power !== null))
  assert(plant.running.every((running) => running === 64))
  assert(plant.all_w <= 0.75 * 5600)
})

test('what is turned up waits until what is turned down has made room', () => {
  const plant = new Plant(2, [site(1000)], [wish('interactive', 64, 1)], true)
  plant.seconds(60)
  for (let second = 0; second < 120; second++) {
    if (second % 7 === 0) plant.demands = [wish('interactive', second % 2 === 0 ? 128 : 3, 1)]
    plant.second()
    assert(plant.all_w <= 1000, `${plant.all_w} W`)
  }
})

test('a rack within a site: both are kept', () => {
  const rack = site(900, { name: 'rack', engines: ['b0', 'b1'] })
  const plant = new Plant(4, [site(2400), rack], everyday)
  const { limits } = plant.seconds(60)
  assert(plant.power(0) + plant.power(1) <= 900)
  assert(plant.all_w <= 2400)
  assert.deepEqual(
    limits.map(({ name, binds }) => [name, binds]),
    [
      ['site', true],
      ['rack', true],
    ],
  )
})

test('what is drawn by others under a limit is left to them', () => {
  const plant = new Plant(4, [site(3000, { other: watts(1500) })], everyday)
  plant.seconds(60)
  assert(plant.all_w <= 1500, `${plant.all_w} W`)
})

test('for events that come it is said beforehand what to do, should nobody be there', () => {
  const event = { id: 'e', limit: watts(2000), from_ms: start_ms + 600_000, until_ms: start_ms + 700_000 }
  const plant = new Plant(8, [site(5600, { events: [event] })], everyday)
  plant.seconds(60)
  const [foreseen] = plant.cap.foresee({
    now_ms: plant.now_ms,
    limits: plant.limits,
    loads: plant.loads(),
    demands: plant.demands,
  })
  assert(foreseen && foreseen.from_ms < event.from_ms && foreseen.until_ms === event.until_ms)
  const { concurrency } = pointsOf(foreseen)
  const drawn = plant.running.map((_, at) => drawnBy([...concurrency].find(([name]) => name === `b${at}`)?.[1] ?? 64))
  assert(drawn.reduce((sum, one) => sum + one, 0) <= 2000)
  assert(foreseen.held.some(({ slo }) => slo === 'batch') && !foreseen.held.some(({ slo }) => slo === 'interactive'))
})

test('whatever is asked: the plan is within its limits, or it is told by how much it cannot be', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ limit: fc.integer({ min: 50, max: 6000 }), boards: fc.subarray([0, 1, 2, 3, 4]) }), {
        minLength: 1,
        maxLength: 3,
      }),
      fc.array(fc.integer({ min: 0, max: 200 }), { minLength: 3, maxLength: 3 }),
      fc.boolean(),
      (limits, [interactive = 0, standard = 0, batch = 0], devices) => {
        const demands = [wish('interactive', interactive, 60), wish('standard', standard, 20), wish('batch', batch, 1)]
        const plant = new Plant(
          5,
          limits.map(({ limit, boards }, at) =>
            site(limit, { name: `l${at}`, engines: boards.map((one) => `b${one}`) }),
          ),
          demands,
          devices,
        )
        for (let second = 0; second < 40; second++) {
          const decision = plant.second()
          for (const { name, planned, ahead } of decision?.limits ?? [])
            if (planned > ahead)
              assert(decision?.alarms.some((alarm) => alarm.kind === 'impossible' && alarm.limit === name))
          for (const { engines } of decision?.settings ?? [])
            for (const most of engines.values()) assert(most >= 0 && most <= 64)
        }
      },
    ),
    { numRuns: 60 },
  )
})

/** Every choice of options, to compare with. */
function* choices(counts: readonly number[]): Generator<number[]> {
  const [first, ...rest] = counts
  if (first === undefined) return yield []
  for (const others of choices(rest)) for (let at = 0; at < first; at++) yield [at, ...others]
}

test('step by step it comes near the best of all plans', () => {
  let [ours, best] = [0, 0]
  fc.assert(
    fc.property(
      fc.array(
        fc.array(fc.record({ more: fc.integer({ min: 1, max: 16 }), watts: fc.integer({ min: 1, max: 300 }) }), {
          minLength: 1,
          maxLength: 4,
        }),
        { minLength: 2, maxLength: 4 },
      ),
      fc.integer({ min: 50, max: 1200 }),
      (steps, room_w) => {
        const loads = steps.map((load, at): Settable => {
          let [requests, power] = [0, 50]
          const options = [{ requests: 0, power: null, drawn: exactly(watts(50)), speed: 1 }]
          for (const { more, watts: extra } of load) {
            requests += more
            power += extra
            options.push({ requests, power: null, drawn: exactly(watts(power)), speed: 1 })
          }
          const engines = [{ name: `e${at}`, models: ['m'], concurrency: requests, running: 0 }]
          const load_: Load = {
            name: `e${at}`,
            engines,
            idle: watts(50),
            full: watts(power),
            reading: null,
            period_ms: 1000,
            limiter: null,
          }
          return { load: load_, options }
        })
        const rooms = [{ power: watts(room_w), members: loads.map((_, at) => at), together: 1 }]
        const demands = [wish('interactive', 12, 3), wish('batch', 40, 1)]
        const plan = planWithin(loads, rooms, demands, 0)
        let most = 0
        for (const chosen of choices(loads.map(({ options }) => options.length))) {
          const one = judged(loads, chosen, rooms, demands, 0)
          if ((one.drawn[0] ?? 0) <= room_w) most = Math.max(most, one.worth)
        }
        ours += plan.worth
        best += most
        assert(plan.worth >= most / 2, `${plan.worth} of ${most}`)
      },
    ),
    { numRuns: 300, seed: 7 },
  )
  assert(ours > 0.95 * best, `${ours} of ${best}`)
})

test('of what was never seen a curve says what more drew, and above that the most that can be drawn', () => {
  const curve = new PowerCurve(watts(700))
  assert.equal(curve.at(1).mean, 700)
  for (let second = 0; second < 200; second++) curve.learn(8, watts(second % 2 === 0 ? 490 : 510))
  assert(Math.abs(curve.at(8).mean - 500) < 5 && Math.abs(curve.at(8).deviation - 10) < 3)
  assert.deepEqual(curve.at(1), curve.at(8))
  assert.equal(curve.at(16).mean, 700)
  for (let second = 0; second < 200; second++) curve.learn(2, watts(600))
  assert(curve.at(8).mean > 590, 'more requests draw no less than fewer')
})
