import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { operatorSettings } from './settings.ts'
import { type Operator, startOperator } from './start.ts'

const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends.reverse()) await end()
})

/** A folder that goes with the test file. */
export function temporary(): string {
  const root = mkdtempSync(join(tmpdir(), 'wm-'))
  ends.push(() => rmSync(root, { recursive: true, force: true }))
  return root
}

/** An operator with nothing around it: no launcher, no gateway, no engine. */
export async function lonelyOperator(): Promise<Operator> {
  const operator = await startOperator(join(temporary(), 'home'), operatorSettings(undefined), () => undefined)
  ends.push(() => operator.stop())
  return operator
}

/** An OpenAI-compatible API that only lists models, by name or with what else it tells of them. */
export async function fakeUpstream(
  models: readonly (string | Readonly<Record<string, unknown>>)[],
  base = '/v1',
  heard: (request: IncomingMessage) => void = () => undefined,
): Promise<string> {
  const server = createServer((request, response) => {
    heard(request)
    const found = request.url?.split('?')[0] === `${base}/models`
    const allowed = request.headers.authorization !== 'Bearer wrong'
    response.writeHead(found ? (allowed ? 200 : 401) : 404, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ data: models.map((model) => (typeof model === 'string' ? { id: model } : model)) }))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  ends.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
