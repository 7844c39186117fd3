import type { Server } from 'node:http'
import { duplexPair } from 'node:stream'

/** Enough for the compiler to have seen the path; the first real request should not be the one that pays. */
const rounds = 50

const requests =
  'GET /livez HTTP/1.1\r\nhost: warm\r\n\r\n' +
  'POST /v1/chat/completions HTTP/1.1\r\nhost: warm\r\nauthorization: Bearer warm\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}'

/**
 * Sends a few requests through the own server, over a pipe in memory: under `node:cluster` a loopback connection to the
 * shared port would warm some other gateway. A server with TLS is warmed behind its handshake. Cold, the first requests were measured to take most of a second.
 */
export function warmUp(server: Server, connected: 'connection' | 'secureConnection' = 'connection'): Promise<void> {
  const [ours, theirs] = duplexPair()
  return new Promise((resolve) => {
    ours.on('error', () => resolve())
    ours.on('close', () => resolve())
    ours.on('end', () => resolve())
    ours.resume()
    server.emit(connected, theirs)
    ours.write(requests.repeat(rounds))
    ours.end('GET /livez HTTP/1.1\r\nhost: warm\r\nconnection: close\r\n\r\n')
  })
}
