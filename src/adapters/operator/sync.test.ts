import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { test } from 'node:test'
import type { FactorySnapshot, SyncRequest, WireSnapshot } from './contract.ts'
import { readStored } from './stored.ts'
import { syncWithOperator } from './sync.ts'

const snapshot = (number: number): WireSnapshot => ({
  number,
  published_ms: 1,
  gateways: 1,
  grants: [],
  prices: [],
  engines: [],
})

test('news are taken whole or not at all, and the loop outlives its operator', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'wm-sync-'))
  const socket = join(directory, 'operator.sock')
  const stored = join(directory, '0.json')
  const replies: unknown[] = [
    { acknowledged: 5, snapshot: snapshot(1) },
    { acknowledged: 6, snapshot: { ...snapshot(2), gateways: 0 } },
    { acknowledged: 7, snapshot: snapshot(3) },
  ]
  const asked: SyncRequest[] = []
  const operator = () =>
    createServer(async (request, response) => {
      asked.push((await json(request)) as SyncRequest)
      response.end(JSON.stringify(replies.shift() ?? { acknowledged: 7 }))
    })
  const heard: string[] = []
  let current: FactorySnapshot | undefined
  const sync = syncWithOperator(socket, stored, {
    status: () => ({
      incarnation: 'g',
      pid: 1,
      snapshot: current?.number ?? 0,
      ready: true,
      running: 0,
      waiting: 0,
      journal_depth: 0,
      journal_up: true,
      peers: 0,
      replicas: [],
      models: [],
      flows: [],
      metrics: { number: 1, counts: {} },
    }),
    delivered: () => undefined,
    snapshot: (news) => {
      current = news
      heard.push(`snapshot ${news.number}`)
    },
    acknowledged: (sequence) => heard.push(`acknowledged ${sequence}`),
    operator: (up) => heard.push(up ? 'up' : 'down'),
    warn: (message) => heard.push(message.includes('not valid') ? 'invalid' : message),
  })
  const has = async (what: string): Promise<void> => {
    while (!heard.includes(what)) await new Promise((next) => setTimeout(next, 5))
  }
  t.after(() => {
    sync.close()
    rmSync(directory, { recursive: true, force: true })
  })
  await has('down')
  const first = operator()
  await new Promise<void>((done) => first.listen(socket, done))
  await has('snapshot 3')
  assert.deepEqual(
    heard.filter((one) => !['up', 'down', 'acknowledged 7'].includes(one)),
    ['acknowledged 5', 'snapshot 1', 'acknowledged 6', 'invalid', 'snapshot 3'],
  )
  assert.deepEqual(
    asked.slice(0, 3).map((one) => one.snapshot),
    [0, 1, 1],
  )
  assert.equal(readStored(stored)?.number, 3)
  assert.equal(statSync(stored).mode & 0o777, 0o600)

  first.closeAllConnections()
  await new Promise((done) => first.close(done))
  heard.length = 0
  await has('down')
  const second = operator()
  await new Promise<void>((done) => second.listen(socket, done))
  await has('up')
  sync.close()
  second.closeAllConnections()
  second.close()
})

test('a stored snapshot that is torn or missing is none', () => {
  assert.equal(readStored('/nonexistent/0.json'), undefined)
  assert.equal(readStored(import.meta.filename), undefined)
})
