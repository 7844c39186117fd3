import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { test } from 'node:test'
import { operatorSettings } from './settings.ts'
import { startOperator } from './start.ts'
import { temporary } from './testing.ts'

test('an operator that was told of a collector sends it its metrics, and says once that it does not take them', async (t) => {
  const taken: unknown[] = []
  let refuses = true
  const collector = createServer(async (request, response) => {
    taken.push(await json(request))
    response.writeHead(refuses ? 503 : 200).end('{}')
  })
  collector.listen(0, '127.0.0.1')
  await once(collector, 'listening')
  const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
  const log: string[] = []
  const settings = { ...operatorSettings(undefined), otlp: { url, keyFrom: '', seconds: 0.05 } }
  const operator = await startOperator(join(temporary(), 'home'), settings, (line) => log.push(line))
  t.after(async () => {
    await operator.stop()
    collector.closeAllConnections()
    collector.close()
  })
  const until = async (what: () => boolean): Promise<void> => {
    while (!what()) await new Promise((next) => setTimeout(next, 10))
  }
  await until(() => taken.length >= 2)
  assert.match(JSON.stringify(taken[0]), /"name":"wattmill_info"/)
  assert.equal(log.filter((line) => /not taken: .* answered 503/.test(line)).length, 1)
  refuses = false
  await until(() => log.some((line) => /takes metrics again/.test(line)))
})
