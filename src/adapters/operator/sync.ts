import { setTimeout as sleep } from 'node:timers/promises'
import { isObject } from '../../units/json.ts'
import { dialSocket } from '../http/dial.ts'
import type { FactorySnapshot, SyncRequest, WireSnapshot } from './contract.ts'
import { parseSnapshot } from './contract.ts'
import { writeStored } from './stored.ts'

/** What the loop asks of its gateway and tells it. */
export interface SyncPorts {
  status(): SyncRequest
  /** The operator has what the last status said. */
  delivered(): void
  /** A new snapshot, checked whole and stored: swap the one reference. */
  snapshot(snapshot: FactorySnapshot): void
  /** Journal rows up to this number are in the books. */
  acknowledged(sequence: number): void
  /** Whether the operator answers. */
  operator(up: boolean): void
  warn(message: string): void
}

/** The operator answers within a second; one that takes longer is treated as down. */
const answerMs = 5_000
/** An operator that answers at once and has no news must not make us spin. */
const leastPauseMs = 20
const [firstPauseMs, longestPauseMs] = [100, 2_000]

/**
 * Asks the operator for news, for ever. Nothing waits for this loop: while the operator is down the gateway serves
 * under the snapshot it has, and its rows stay in its journal.
 */
export function syncWithOperator(socketPath: string, storedPath: string, ports: SyncPorts): { close(): void } {
  const pool = dialSocket(socketPath, 1)
  const stop = new AbortController()

  const ask = async (): Promise<void> => {
    const { statusCode, body } = await pool.request({
      path: '/internal/sync',
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(ports.status()),
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
      signal: stop.signal,
    })
    const reply: unknown = await body.json()
    if (statusCode !== 200 || !isObject(reply)) throw new Error(`the operator answered ${statusCode}`)
    ports.delivered()
    if (Number.isSafeInteger(reply.acknowledged)) ports.acknowledged(Number(reply.acknowledged))
    if (reply.snapshot !== undefined) take(reply.snapshot)
  }

  const take = (value: unknown): void => {
    const snapshot = parseSnapshot(value)
    if (!snapshot) return ports.warn('the operator sent a snapshot that is not valid; the old one stays in force')
    try {
      writeStored(storedPath, value as WireSnapshot)
    } catch (error) {
      // It still serves; only a start without the operator would fall back to an older one.
      ports.warn(`the snapshot cannot be stored: ${error instanceof Error ? error.message : String(error)}`)
    }
    ports.snapshot(snapshot)
  }

  const loop = async (): Promise<void> => {
    for (let failures = 0; !stop.signal.aborted; ) {
      try {
        await ask()
        failures = 0
        ports.operator(true)
        await sleep(leastPauseMs, undefined, { signal: stop.signal })
      } catch {
        if (stop.signal.aborted) break
        ports.operator(false)
        const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures++, 10))
        await sleep(pause, undefined, { signal: stop.signal }).catch(() => undefined)
      }
    }
    await pool.destroy()
  }
  void loop()
  return { close: () => stop.abort() }
}
