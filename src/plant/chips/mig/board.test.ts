import assert from 'node:assert/strict'
import { test } from 'node:test'
import { boardFault, type OnBoard } from './board.ts'
import { smsOfProfile } from './tables.ts'

let number = 0
const has = (slice: string | null, sms: number | null, more: Partial<OnBoard> = {}): OnBoard => ({
  engine: `e${++number}`,
  slice,
  sms,
  board_sms: sms === null ? null : 132,
  instance: null,
  ...more,
})
const on = (profile: string, instance: string | null = null): OnBoard =>
  has(`h100-sxm/${profile}`, smsOfProfile('h100-sxm', profile), { instance })

test('engines stand on a board together as its slices do, or are told why not', () => {
  for (const [standing, why] of [
    [[], undefined],
    [[has(null, null), has(null, null)], undefined],
    [[on('3g.40gb', '1'), on('3g.40gb', '2'), on('1g.10gb')], 'no h100-sxm can be cut into'],
    [[on('3g.40gb', '1'), on('3g.40gb', '2')], undefined],
    [[on('4g.40gb'), on('2g.20gb'), on('1g.10gb')], undefined],
    [[on('4g.40gb'), on('4g.40gb')], 'no h100-sxm can be cut into'],
    [[on('2g.20gb'), on('2g.20gb'), on('2g.20gb'), on('1g.10gb')], undefined],
    [[on('4g.40gb'), on('1g.20gb'), on('1g.20gb')], undefined],
    [[on('4g.40gb'), on('1g.20gb'), on('1g.20gb'), on('1g.10gb')], 'no h100-sxm can be cut into'],
    [[on('3g.40gb'), has(null, null)], 'has all of the board'],
    [[on('3g.40gb', '1'), on('3g.40gb', '1')], 'GPU instance 1 is given to'],
    [[on('3g.40gb'), has('60of148', 60, { board_sms: 148 })], '132 and 148 SMs at the same time'],
    [[has('100of132', 100), has('60of132', 60)], '160 SMs, and the board 132'],
    [[has('60of132', 60), has('60of132', 60)], undefined],
    [[on('7g.80gb')], undefined],
  ] as const) {
    const fault = boardFault(standing)
    const said = `${standing.map(({ slice }) => slice).join(', ')}: ${fault}`
    if (why === undefined) assert.equal(fault, undefined, said)
    else assert(fault?.includes(why), said)
  }
})
