import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Router } from '../../lines/inference/route.ts'
import { seconds } from '../../units/quantity.ts'
import { type Channel, talkToPeers } from './peers.ts'

/** Both ends of a launcher that passes on; `taken` is held back where it hangs. */
function launcher() {
  const ears: ((message: unknown) => void)[] = []
  const words: unknown[] = []
  const held: (() => void)[] = []
  const channel = (hangs = false): Channel => {
    let own: ((message: unknown) => void) | undefined
    return {
      send(message, taken) {
        words.push(message)
        for (const ear of ears) if (ear !== own) ear(JSON.parse(JSON.stringify(message)))
        if (hangs) held.push(taken)
        else taken()
      },
      hear(told) {
        own = told
        ears.push(told)
      },
    }
  }
  return { channel, words, held }
}

test('gateways hear each other, also when they have nothing to say', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { channel, words } = launcher()
  const routers = [new Router(), new Router(), new Router()]
  const talks = routers.map((router, at) =>
    talkToPeers(
      `g${at}`,
      router,
      channel(),
      () => seconds(1),
      () => 3,
    ),
  )
  t.mock.timers.tick(900)
  assert.equal(words.length, 0)
  t.mock.timers.tick(100)
  assert.equal(words.length, 3)
  assert.deepEqual(
    routers.map(({ peers }) => peers),
    [2, 2, 2],
  )
  for (const talk of talks) talk.close()
  t.mock.timers.tick(5000)
  assert.equal(words.length, 3)
})

test('nobody speaks where there is nobody to hear, nor before the last word was taken', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { channel, words, held } = launcher()
  const lone = talkToPeers(
    'g0',
    new Router(),
    channel(),
    () => seconds(1),
    () => 1,
  )
  t.mock.timers.tick(3000)
  assert.equal(words.length, 0)
  lone.close()
  const talk = talkToPeers(
    'g1',
    new Router(),
    channel(true),
    () => seconds(1),
    () => 2,
  )
  t.mock.timers.tick(5000)
  assert.equal(words.length, 1)
  held[0]?.()
  t.mock.timers.tick(1000)
  assert.equal(words.length, 2)
  talk.close()
})

test('who fell silent is forgotten, though the own word hangs', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const { channel } = launcher()
  let now = 1
  const router = new Router()
  const talks = [
    talkToPeers(
      'g0',
      router,
      channel(true),
      () => seconds(now),
      () => 2,
    ),
    talkToPeers(
      'g1',
      new Router(),
      channel(),
      () => seconds(now),
      () => 2,
    ),
  ]
  t.mock.timers.tick(1000)
  assert.equal(router.peers, 1)
  talks[1]?.close()
  now = 6
  t.mock.timers.tick(100)
  assert.equal(router.peers, 0)
  talks[0]?.close()
})
