import type { ChildProcess } from 'node:child_process'

/** What a child says: that it is ready, that it cannot start and why, or news. */
export interface ChildMessage {
  readonly ready?: boolean
  readonly failed?: { readonly code: string; readonly message: string; readonly next?: string }
  readonly [news: string]: unknown
}

/** First pause before a dead child is started again; doubled up to the longest. */
const firstPause_ms = 100
const longestPause_ms = 10_000
/** After so long without a death the next one is a first one. */
const healthy_ms = 30_000

/**
 * A process that is kept alive: started again when it dies, with growing pauses, until it is told to stop. What it says on
 * its output is passed on with its name before each line.
 */
export class Child {
  readonly name: string
  /** Told of each death that was not asked for. */
  onDeath: ((how: string) => void) | undefined
  readonly #fork: () => ChildProcess
  readonly #hear: (message: ChildMessage, child: Child) => void
  readonly #say: (line: string) => void
  #process: ChildProcess | undefined
  #deaths = 0
  /** The last offer has not left this process. */
  #offered = false
  #stopping = false
  #timer: NodeJS.Timeout | undefined
  #gone: Promise<void> = Promise.resolve()

  constructor(
    name: string,
    fork: () => ChildProcess,
    hear: (message: ChildMessage, child: Child) => void,
    say: (line: string) => void,
  ) {
    this.name = name
    this.#fork = fork
    this.#hear = hear
    this.#say = say
  }

  start(): void {
    const started = performance.now()
    const child = this.#fork()
    this.#process = child
    this.#offered = false
    for (const stream of [child.stdout, child.stderr]) if (stream) passOn(stream, this.name, this.#say)
    child.on('message', (message) => this.#hear(message as ChildMessage, this))
    child.on('error', (cause) => this.#say(`${this.name}: ${cause.message}`))
    this.#gone = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve()
        if (!this.#stopping) this.#again(performance.now() - started, signal ?? `code ${code}`)
      })
    })
  }

  /** What it hears on its channel; nothing while it is dead. */
  send(message: object): void {
    if (this.#process?.connected) this.#process.send(message)
  }

  /** A message that may be left out: it is when the one before has not been taken, so that a process that hangs costs no memory. */
  offer(message: object): void {
    if (!this.#process?.connected || this.#offered) return
    this.#offered = true
    this.#process.send(message, () => {
      this.#offered = false
    })
  }

  /** Asks it to end, and after `patience_ms` makes it. */
  stop(patience_ms: number): Promise<void> {
    return this.#end(patience_ms, (child) => child.kill('SIGTERM'))
  }

  /** As `stop`, while another one has taken over what it does. */
  retire(patience_ms: number): Promise<void> {
    return this.#end(patience_ms, (child) => (child.connected ? child.send({ retire: true }) : child.kill('SIGTERM')))
  }

  async #end(patience_ms: number, ask: (child: ChildProcess) => void): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#timer)
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    ask(child)
    const timer = setTimeout(() => child.kill('SIGKILL'), patience_ms)
    await this.#gone
    clearTimeout(timer)
  }

  kill(): void {
    this.#stopping = true
    clearTimeout(this.#timer)
    this.#process?.kill('SIGKILL')
  }

  #again(lived_ms: number, how: string): void {
    if (lived_ms >= healthy_ms) this.#deaths = 0
    const pause = Math.min(longestPause_ms, firstPause_ms * 2 ** this.#deaths++)
    this.onDeath?.(how)
    if (this.#stopping) return // whoever heard of it wants no more
    this.#say(`${this.name} ended (${how}); it is started again in ${pause / 1000} s`)
    this.#timer = setTimeout(() => this.start(), pause)
  }
}

/** Line by line, so that the words of two processes do not mix; a line without an end is cut at 64 KiB. */
function passOn(stream: NodeJS.ReadableStream, name: string, say: (line: string) => void): void {
  let rest = ''
  const told = (line: string): void =>
    say(line.startsWith(`${name}:`) || line.startsWith('{') ? line : `${name}: ${line}`)
  stream.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') told(line)
    if (rest.length > 65_536) {
      told(rest)
      rest = ''
    }
  })
  stream.on('end', () => {
    if (rest !== '') told(rest)
  })
}
