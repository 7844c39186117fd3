/** The twin in a browser: the same scenario and seed come to the same report, to the last bit of every number. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { stripTypeScriptTypes } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { parse } from 'yaml'
import { runTwin } from '../src/twin/run.ts'
import { readScenario } from '../src/twin/scenario-read.ts'
import { launch } from './browser.ts'

const top = join(import.meta.dirname, '..')
let browser: Browser

/** The sources as they are, without their types: what a bundle would hold. */
const server = createServer((request, response) => {
  const path = /^\/(src\/[\w/.-]+\.ts)$/.exec(request.url ?? '')?.[1]
  if (!path || path.includes('..')) return response.setHeader('content-type', 'text/html').end('<!doctype html>')
  response.setHeader('content-type', 'text/javascript')
  return response.end(stripTypeScriptTypes(readFileSync(join(top, path), 'utf8')))
})

before(async () => {
  server.listen(0, '127.0.0.1')
  ;[browser] = await Promise.all([launch(), once(server, 'listening')])
})
after(async () => {
  await browser?.close()
  server.close()
})

test('Node and Chromium run the twin to the same bits', async () => {
  const page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  for (const file of ['chat-on-h100.yaml', 'fitted-rtx4090.yaml']) {
    const described = parse(readFileSync(join(top, 'examples', 'twin', file), 'utf8'))
    const short = { ...described, workload: { ...described.workload, requests: 400 } }
    for (const seed of [1, 2]) {
      const scenario = { ...short, seed }
      const here = JSON.stringify(runTwin(readScenario(scenario)))
      const there = await page.evaluate(async (given) => {
        const [run, read] = ['/src/twin/run.ts', '/src/twin/scenario-read.ts']
        const [{ runTwin }, { readScenario }] = await Promise.all([import(run), import(read)])
        return JSON.stringify(runTwin(readScenario(given)))
      }, scenario)
      assert.equal(there, here, `${file}, seed ${seed}`)
      assert(here.length > 1000)
    }
  }
})
