/** Test only: a hub on loopback whose manners the test chooses. */
import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

export interface Manners {
  content: Buffer
  etag: string | undefined
  /** Requests are cut after so many bytes. */
  cutAfter: number | undefined
  ranges: boolean
  /** Milliseconds between pieces of 16 KiB. */
  pace: number
}

export interface Asked {
  readonly url: string
  readonly headers: IncomingMessage['headers']
}

/** Serves `content` at every path; `answer` may take a request for itself by returning true. */
export async function fakeHub(
  t: TestContext | { after(run: () => void): void },
  content: Buffer,
  answer: (request: IncomingMessage, response: ServerResponse) => boolean = () => false,
) {
  const manners: Manners = { content, etag: '"one"', cutAfter: undefined, ranges: true, pace: 0 }
  const asked: Asked[] = []
  let sent = 0
  const server = createServer((request, response) => {
    asked.push({ url: request.url ?? '', headers: request.headers })
    if (!answer(request, response)) serve(request, response, manners, (bytes) => (sent += bytes))
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { base, manners, asked, sent: () => sent }
}

/** As static file servers do it: ranges, If-Range against the entity tag, 416 beyond the end. */
function serve(
  request: IncomingMessage,
  response: ServerResponse,
  manners: Manners,
  sent: (bytes: number) => void,
): void {
  const { content, etag, ranges, cutAfter, pace } = manners
  const fresh = request.headers['if-range'] === undefined || request.headers['if-range'] === etag
  const asked = ranges && fresh ? /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') : null
  const [from, to] = asked ? [Number(asked[1]), Number(asked[2] || content.length - 1)] : [0, content.length - 1]
  if (from >= content.length) return void response.writeHead(416).end()
  const part = content.subarray(from, to + 1)
  response.writeHead(asked ? 206 : 200, {
    'content-length': part.length,
    ...(etag !== undefined && { etag }),
    ...(asked && { 'content-range': `bytes ${from}-${from + part.length - 1}/${content.length}` }),
  })
  const piece = 16 * 1024
  const next = (at: number): void => {
    if (response.destroyed) return
    if (cutAfter !== undefined && at >= cutAfter) return void response.destroy()
    if (at >= part.length) return void response.end()
    const most = cutAfter === undefined ? piece : Math.min(piece, cutAfter - at)
    const chunk = part.subarray(at, at + most)
    sent(chunk.length)
    response.write(chunk, () => setTimeout(() => next(at + chunk.length), pace))
  }
  next(0)
}
