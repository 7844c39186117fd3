/**
 * The bare proxy that gateways are held against: node:http in front, an undici pool behind, bytes passed on. It knows no keys,
 * limits, prices or journal.
 *
 *     node bin/node.mjs bench/gateway/bare.ts --upstream http://127.0.0.1:PORT
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { parseArgs } from 'node:util'
import { Pool } from 'undici'

const { values } = parseArgs({ options: { upstream: { type: 'string', default: '' } } })
const pool = new Pool(values.upstream, { connections: 2048 })

const server = createServer((request, response) => {
  pool.stream(
    {
      path: request.url ?? '/',
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        'content-length': request.headers['content-length'] ?? '0',
        authorization: request.headers.authorization ?? '',
      },
      body: request,
      opaque: response,
    },
    ({ statusCode, headers }) => {
      response.writeHead(statusCode, { 'content-type': String(headers['content-type'] ?? 'application/json') })
      return response
    },
    (error) => {
      if (error) response.destroy()
    },
  )
})
server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.on('disconnect', () => process.exit(0))
