import type { Server } from 'node:http'
import { setTimeout as after } from 'node:timers/promises'

/**
 * How a gateway leaves. `stop`: nobody takes over, so what is new is refused as `draining`, on connections that are new too,
 * until what runs has ended. `retire`: another gateway listens on the port already, so what comes on connections that stand
 * is served as ever, and each answer closes its connection.
 */
export type Leaving = 'stop' | 'retire'

export interface Drained {
  readonly server: Server
  /** Requests under way. */
  running(): number
  /** Cuts them. */
  cut(): void
  /** What runs may go on for so long. */
  readonly patienceMs: number
}

/** A client that was told of the cut gets this long to read it. */
const lastWordsMs = 1_000
const lookMs = 20
/** A connection whose last answer has ended would stay open for the next request: it is closed within this. */
const sweepMs = 50
/** In this time every client that is busy has had an answer that closed its connection; what is still idle is closed then. */
const lameDuckMs = 2_000
/** A stream that ended after that leaves a connection that its client believes to be open: it is kept open this long. */
const lastIdleMs = 1_000

/** Stops accepting, in the order that its way of leaving asks for; told once when the last connection is gone. */
export async function drainServer(leaving: Leaving, drained: Drained): Promise<void> {
  const { patienceMs } = drained
  const until = performance.now() + patienceMs
  if (leaving === 'retire') await after(Math.min(lameDuckMs, patienceMs))
  else while (drained.running() > 0 && performance.now() < until) await after(lookMs)
  await closed(leaving, drained, Math.max(0, until - performance.now()))
}

function closed(leaving: Leaving, { server, cut }: Drained, leftMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cutAt = setTimeout(cut, leftMs)
    const hangUp = setTimeout(() => server.closeAllConnections(), leftMs + lastWordsMs)
    const sweep = leaving === 'stop' ? setInterval(() => server.closeIdleConnections(), sweepMs) : undefined
    server.keepAliveTimeout = lastIdleMs
    server.close(() => {
      clearTimeout(cutAt)
      clearTimeout(hangUp)
      clearInterval(sweep)
      resolve()
    })
  })
}
