import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Box, Layer, Link, Node } from './layout.ts'
import { fitted, layOut, roomFor } from './layout.ts'

/** A factory with some boxes in each layer and links between neighbours. */
function factory(counts: readonly number[], width: number): { nodes: Node[]; links: Link[] } {
  const nodes = counts.flatMap((count, layer) =>
    Array.from({ length: Math.min(count, roomFor(width)) }, (_, n) => ({ id: `${layer}/${n}`, layer: layer as Layer })),
  )
  const links = nodes.flatMap((from) =>
    nodes
      .filter((to) => to.layer === from.layer + 1)
      .map((to, index): Link => ({ from: from.id, to: to.id, kind: 'tokens', share: index / 10 })),
  )
  return { nodes, links }
}

const touch = (a: Box, b: Box): boolean =>
  a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + b.height && b.y < a.y + a.height

test('whatever stands in the factory and however wide the page: all inside, nothing on top of another', () => {
  const counts = fc.array(fc.nat(9), { minLength: 5, maxLength: 5 })
  fc.assert(
    fc.property(counts, fc.integer({ min: 300, max: 2400 }), (counts, width) => {
      const { nodes, links } = factory(counts, width)
      const { boxes, ribbons, height } = layOut(nodes, links, width)
      assert.equal(boxes.length, nodes.length, 'every box has a place')
      for (const box of boxes)
        assert(box.x >= 0 && box.y >= 0 && box.x + box.width <= width + 1 && box.y + box.height <= height)
      boxes.forEach((a, index) => {
        for (const b of boxes.slice(index + 1)) assert(!touch(a, b), `${a.id} on ${b.id} at ${width}`)
      })
      assert.equal(ribbons.length, links.length)
      for (const { area } of ribbons) assert(!/NaN|undefined/.test(area), area)
    }),
  )
})

test('a link to something that is not shown is not drawn, and ribbons at a box stay within it', () => {
  const nodes: Node[] = [0, 1, 2, 3, 4, 5].map((n) => ({ id: `m${n}`, layer: 3 }))
  const links = nodes.map(({ id }): Link => ({ from: id, to: 'app', kind: 'tokens', share: 1 / 6 }))
  assert.deepEqual(layOut(nodes, links, 1200).ribbons, [])
  const { boxes, ribbons } = layOut([...nodes, { id: 'app', layer: 4 }], links, 1200)
  const app = boxes.find(({ id }) => id === 'app')
  for (const { line } of ribbons) {
    const y = Number(/ ([\d.]+)$/.exec(line)?.[1])
    assert(app && y > app.y && y < app.y + app.height, line)
  }
})

test('a text is cut where its room ends, and says so', () => {
  const wide = (text: string): number => text.length * 7
  assert.equal(fitted('short', 200, wide), 'short')
  assert.equal(fitted('a name that goes on for ever', 80, wide), 'a name tha…')
  assert.equal(fitted('long', 1, wide), '…')
  fc.assert(
    fc.property(fc.string({ maxLength: 40 }), fc.integer({ min: 7, max: 200 }), (text, width) => {
      const cut = fitted(text, width, wide)
      assert(wide(cut) <= width, cut)
      assert(text.startsWith(cut.replace(/…$/, '')) || cut === text)
    }),
  )
})
