import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Flow } from './contract.ts'
import { mostOf, nodeName, sankey } from './sankey.ts'

const flow = (from: string, to: string, amount: string): Flow => ({ from, to, amount, out: from, into: to })
const flows = [
  flow('capacity/gpu', 'usage', '6'),
  flow('capacity/gpu', 'idle', '2'),
  flow('electricity/board', 'usage', '2'),
  flow('usage', 'tenant/acme', '5'),
  flow('usage', 'tenant/rival', '3'),
  flow('idle', 'idle/idle', '2'),
]
const sizes = { width: 300, height: 110, thick: 10, gap: 10 }

test('heights are money, columns are stacked without overlap and within the picture', () => {
  const { nodes } = sankey(flows, sizes)
  const of = (column: number) => nodes.filter((node) => node.column === column)
  assert.deepEqual(
    nodes.map(({ name, column, usd }) => [name, column, usd]),
    [
      ['capacity/gpu', 0, 8],
      ['electricity/board', 0, 2],
      ['usage', 1, 8],
      ['idle', 1, 2],
      ['tenant/acme', 2, 5],
      ['tenant/rival', 2, 3],
      ['idle/idle', 2, 2],
    ],
  )
  for (const column of [0, 1, 2]) {
    const height = of(column).reduce((sum, node) => sum + node.height, 0)
    assert(Math.abs(height - 90) < 1e-9, `three nodes have two gaps: ${height}`)
    for (const [at, node] of of(column).entries())
      assert(node.y >= (of(column)[at - 1]?.y ?? 0) + (of(column)[at - 1]?.height ?? 0))
  }
  assert.deepEqual([...new Set(nodes.map(({ x }) => x))], [0, 145, 290])
})

test('bands leave and reach each node one below the other, and fill both sides', () => {
  const { bands, nodes } = sankey(flows, sizes)
  assert.equal(bands.length, flows.length)
  const usage = nodes.find(({ name }) => name === 'usage')
  assert(usage)
  const ends = bands.map(({ shape }) => shape.match(/-?[\d.]+/g)?.map(Number) ?? [])
  // From the left: x0 y0 … x1 y1, then the lower edge back.
  assert.deepEqual([ends[0]?.[7], ends[2]?.[7]], [usage.y, usage.y + (6 / 8) * usage.height])
  assert.deepEqual([ends[3]?.[1], ends[4]?.[1]], [usage.y, usage.y + (5 / 8) * usage.height])
  assert.deepEqual(new Set(bands.map(({ kind }) => kind)), new Set(['usage', 'idle']))
})

test('what is not above nothing is not drawn; nothing at all is an empty picture', () => {
  assert.equal(sankey([...flows, flow('demand/all', 'overhead', '-1')], sizes).bands.length, flows.length)
  assert.deepEqual(sankey([], sizes), { nodes: [], bands: [] })
})

test('of many bearers the smallest are one, and no money is lost by it', () => {
  const many = [
    flow('capacity/gpu', 'usage', '210'),
    ...Array.from({ length: 20 }, (_, at) => flow('usage', `tenant/t${at}`, String(at + 1))),
  ]
  const few = mostOf(many, 5)
  const borne = few.filter(({ from }) => from === 'usage')
  assert.deepEqual(borne.map(({ to }) => to).sort(), [
    '16 other bearers',
    'tenant/t16',
    'tenant/t17',
    'tenant/t18',
    'tenant/t19',
  ])
  assert.equal(
    borne.reduce((sum, { amount }) => sum + Number(amount), 0),
    210,
  )
  assert.deepEqual([borne.at(-1)?.out, borne.at(-1)?.into], [null, null], 'no single account is behind it')
  assert.deepEqual(mostOf(flows, 5), flows)
})

test('names are read as people read them', () => {
  assert.deepEqual(['tenant/a%2Fb', 'capacity/gpu', 'idle/idle', 'overhead/staff', 'usage', '%'].map(nodeName), [
    'a/b',
    'capacity gpu',
    'idle',
    'overhead staff',
    'usage',
    '%',
  ])
})
