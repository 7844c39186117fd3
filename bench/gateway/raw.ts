/**
 * HTTP/1.1 over bare sockets, as little of it as a load needs: a client and a server that cost a fraction of what stands between
 * them. Requests are the same bytes again and again; answers are told whole by their length, or by the end of their chunks.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'

export interface Exchange {
  readonly status: number
  /** Since the request was written, ms. */
  readonly first_ms: number
  readonly last_ms: number
  /** When each part of the body came, ms since the request was written; the first is the head's. */
  readonly parts_ms: readonly number[]
}

const endOfHead = Buffer.from('\r\n\r\n')
const lastChunk = '0\r\n\r\n'

/** One connection that is kept until the server says that it closes it: a request at a time. */
export class RawClient {
  readonly #port: number
  #socket: Socket
  /** The server said that it closes this one; the next request goes over another. */
  #over = false
  #begun = 0
  #parts: number[] = []
  #head: string | undefined
  #read: Buffer = Buffer.alloc(0)
  #body = 0
  #tail = ''
  #told: ((exchange: Exchange) => void) | undefined
  #failed: ((error: Error) => void) | undefined

  constructor(port: number) {
    this.#port = port
    this.#socket = this.#connect()
  }

  #connect(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true })
    const failed = (error: Error): void => {
      if (socket === this.#socket) this.#failed?.(error)
    }
    socket.on('data', (part) => this.#hear(part))
    socket.on('error', failed)
    socket.on('close', () => failed(new Error('the connection was closed')))
    return socket
  }

  /** Some of the answer to the request under way has come. */
  get heard(): boolean {
    return this.#parts.length > 0
  }

  ask(request: Buffer): Promise<Exchange> {
    if (this.#over) {
      this.#over = false
      this.#socket.destroy()
      this.#socket = this.#connect()
    }
    this.#parts = []
    this.#head = undefined
    this.#read = Buffer.alloc(0)
    this.#body = 0
    this.#tail = ''
    if (this.#socket.destroyed) return Promise.reject(new Error('the connection was closed'))
    return new Promise((resolve, reject) => {
      this.#told = resolve
      this.#failed = reject
      this.#begun = performance.now()
      this.#socket.write(request)
    })
  }

  close(): void {
    this.#failed = undefined
    this.#socket.destroy()
  }

  #hear(part: Buffer): void {
    this.#parts.push(performance.now() - this.#begun)
    let body = part
    if (this.#head === undefined) {
      this.#read = this.#read.length === 0 ? part : Buffer.concat([this.#read, part])
      const end = this.#read.indexOf(endOfHead)
      if (end < 0) return
      this.#head = this.#read.subarray(0, end).toString('latin1').toLowerCase()
      body = this.#read.subarray(end + endOfHead.length)
    }
    this.#body += body.length
    const length = /\r\ncontent-length: *(\d+)/.exec(this.#head)?.[1]
    this.#tail = (this.#tail + body.subarray(-lastChunk.length).toString('latin1')).slice(-lastChunk.length)
    const whole = length === undefined ? this.#tail === lastChunk : this.#body >= Number(length)
    if (!whole) return
    const [first = 0] = this.#parts
    this.#over = /\r\nconnection: *close/.test(this.#head)
    const told = this.#told
    this.#told = undefined
    this.#failed = undefined
    told?.({
      status: Number(this.#head.slice(9, 12)),
      first_ms: first,
      last_ms: this.#parts.at(-1) ?? first,
      parts_ms: this.#parts,
    })
  }
}

export const requestTo = (path: string, headers: Readonly<Record<string, string>>, body: object): Buffer => {
  const text = JSON.stringify(body)
  const lines = Object.entries({
    host: '127.0.0.1',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n${text}`)
}

/** `answer` is called for each request with its body, once that is there. */
export function rawServer(answer: (socket: Socket, head: string, body: Buffer) => void): Server {
  return createServer({ noDelay: true }, (socket) => {
    let parts: Buffer[] = []
    let size = 0
    let need = Number.POSITIVE_INFINITY
    let head = ''
    let headBytes = 0
    socket.on('error', () => socket.destroy())
    socket.on('data', (part) => {
      parts.push(part)
      size += part.length
      while (size > 0) {
        if (need === Number.POSITIVE_INFINITY) {
          const all = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
          parts = [all]
          const end = all.indexOf(endOfHead)
          if (end < 0) return
          head = all.subarray(0, end).toString('latin1').toLowerCase()
          headBytes = end + endOfHead.length
          need = headBytes + Number(/\r\ncontent-length: *(\d+)/.exec(head)?.[1] ?? 0)
        }
        if (size < need) return
        const all = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts)
        const body = all.subarray(headBytes, need)
        const rest = all.subarray(need)
        parts = rest.length > 0 ? [rest] : []
        size = rest.length
        need = Number.POSITIVE_INFINITY
        answer(socket, head, body)
      }
    })
  })
}
