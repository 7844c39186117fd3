import type { ServerResponse } from 'node:http'

export interface StreamBounds {
  /** What a slow reader may leave unread before the engine is told to pause. */
  readonly bufferBytes: number
  /** How long it may then take to read it all, before it counts as gone. */
  readonly stallMs: number
  /** Proxies between us cut what is silent, most after 60 s. */
  readonly heartbeatMs: number
}

/** 1 MiB is about 5,000 chunks; who cannot read them in 30 s (35 KB/s) is not reading. */
export const streamBounds: StreamBounds = { bufferBytes: 1024 * 1024, stallMs: 30_000, heartbeatMs: 15_000 }

/** What keeps a silent stream open: a comment, which every parser skips. */
export const keepAlive = ': keep-alive\n\n'

/** One event; most APIs do not name theirs. */
export interface StreamEvent {
  readonly name?: string
  readonly data: string
}

/** What the stream tells of its reader. */
export interface ReaderNews {
  /** Its buffer is full: stop reading from the engine, if that is possible; false: go on. */
  paused(paused: boolean): void
  /** It does not read: treat it as gone. */
  stalled(): void
}

/**
 * An event stream to one client: corked until `release`, so that no content leaves before the open row is durable.
 * Headers go with the first event, so that a failure before it is still a proper HTTP error.
 */
export class EventStream {
  readonly #response: ServerResponse
  readonly #head: () => Readonly<Record<string, string>>
  readonly #bounds: StreamBounds
  readonly #heart: string
  readonly #news: ReaderNews
  #corked: string[] = []
  #corkedBytes = 0
  #released = false
  #ended = false
  #stall: NodeJS.Timeout | undefined
  #heartbeat: NodeJS.Timeout | undefined

  constructor(
    response: ServerResponse,
    head: () => Readonly<Record<string, string>>,
    news: ReaderNews,
    bounds: StreamBounds = streamBounds,
    heart = keepAlive,
  ) {
    this.#response = response
    this.#head = head
    this.#news = news
    this.#bounds = bounds
    this.#heart = heart
    response.on('close', () => this.#stopTimers())
  }

  /** Something has left: from here on a failure is an event, not a status. */
  get started(): boolean {
    return this.#response.headersSent
  }

  /** Chat's events have no name; those of other APIs do. */
  event(data: string, name?: string): void {
    if (this.#ended) return
    const text = name === undefined ? `data: ${data}\n\n` : `event: ${name}\ndata: ${data}\n\n`
    if (this.#released) return this.#send(text)
    this.#corked.push(text)
    this.#corkedBytes += text.length
    this.#measure()
  }

  /** What was held may leave. */
  release(): void {
    if (this.#released) return
    this.#released = true
    const held = this.#corked.join('')
    this.#corked = []
    this.#corkedBytes = 0
    if (held) this.#send(held)
  }

  /** Ends it; a reader that does not take the rest in time is cut. */
  end(): void {
    if (this.#ended) return
    this.release()
    this.#ended = true
    this.#stopTimers()
    if (this.#response.destroyed) return
    this.#response.end()
    const late = setTimeout(() => this.#response.destroy(), this.#bounds.stallMs)
    this.#response.on('close', () => clearTimeout(late))
  }

  #send(text: string): void {
    const response = this.#response
    if (response.destroyed) return
    if (!response.headersSent) this.#start()
    response.write(text)
    this.#measure()
  }

  #start(): void {
    this.#response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      ...this.#head(),
    })
    this.#heartbeat = setInterval(() => {
      if (this.#response.writableLength === 0) this.#response.write(this.#heart)
    }, this.#bounds.heartbeatMs)
  }

  /** Pauses the engine at the bound. One that cannot pause runs into twice the bound, and its reader is cut at once. */
  #measure(): void {
    const unread = this.#response.writableLength + this.#corkedBytes
    if (unread > 2 * this.#bounds.bufferBytes) return this.#gone()
    if (unread <= this.#bounds.bufferBytes || this.#stall) return
    this.#stall = setTimeout(() => this.#gone(), this.#bounds.stallMs)
    this.#news.paused(true)
    this.#response.once('drain', () => {
      clearTimeout(this.#stall)
      this.#stall = undefined
      if (!this.#ended) this.#news.paused(false)
    })
  }

  #gone(): void {
    this.#ended = true
    this.#stopTimers()
    this.#corked = []
    this.#news.stalled()
  }

  #stopTimers(): void {
    clearTimeout(this.#stall)
    clearInterval(this.#heartbeat)
  }
}
