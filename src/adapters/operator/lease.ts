import { setTimeout as sleep } from 'node:timers/promises'
import type { LeaseAsk, LeaseGrant } from '../../lines/inference/lease.ts'
import type { Purses } from '../../lines/inference/purse.ts'
import type { Seconds } from '../../units/quantity.ts'
import { dialSocket } from '../http/dial.ts'
import type { LeaseReply, LeaseRequest } from './contract.ts'

/** A keeper that does not answer in that time is treated as away; rates go on at equal shares then. */
const answerMs = 2_000
/** What will be wanted soon is asked for this often; a request that waits wakes the loop at once. */
const pauseMs = 100
/** With leases in hand and nothing to ask it still listens, this often, whether somebody wants them back. */
const listenMs = 400

export interface LeaseLoop {
  /** A request waits for a lease. */
  wake(): void
  close(): void
}

/**
 * Asks the operator for leases and gives back what is not needed, for ever. A question whose answer is lost costs: what was
 * to be given back is gone, and what was granted stays with the operator's books, until this gateway is dead and settled.
 */
export function leaseFromOperator(
  socketPath: string,
  incarnation: string,
  purses: Purses,
  now: () => Seconds,
): LeaseLoop {
  const pool = dialSocket(socketPath, 1)
  const stop = new AbortController()
  let wake = (): void => undefined
  let listenedAt = 0

  const ask = async (): Promise<void> => {
    const asks = purses.ask(now())
    const listens = purses.holdsAny && now() - listenedAt > listenMs / 1000
    if (asks.length === 0 && !listens) return
    listenedAt = now()
    const { statusCode, body } = await pool.request({
      path: '/internal/lease',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ incarnation, asks: asks.map(wireAsk) } satisfies LeaseRequest),
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
      signal: stop.signal,
    })
    const reply = (await body.json()) as LeaseReply
    if (statusCode !== 200) throw new Error(`the operator answered ${statusCode}`)
    purses.granted(reply.grants.map(grantOf), now())
    purses.recall(reply.recalls)
  }

  const loop = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      try {
        await ask()
        purses.setAlone(false)
      } catch {
        if (stop.signal.aborted) break
        purses.setAlone(true)
      }
      await Promise.race([woken, sleep(pauseMs, undefined, { signal: stop.signal }).catch(() => undefined)])
    }
    await pool.destroy()
  }
  void loop()
  return { wake: () => wake(), close: () => stop.abort() }
}

const wireAsk = (ask: LeaseAsk): LeaseRequest['asks'][number] => ({
  ...ask,
  free: ask.free.toString(),
  reserved: ask.reserved.toString(),
  returned: ask.returned.toString(),
  want: ask.want.toString(),
  ahead: ask.ahead.toString(),
})

const grantOf = (grant: LeaseReply['grants'][number]): LeaseGrant => ({
  ...grant,
  amount: BigInt(grant.amount),
  left: BigInt(grant.left),
})
