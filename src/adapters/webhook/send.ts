/**
 * A notice on its way to a receiver, as the Standard Webhooks specification has it (github.com/standard-webhooks): the id, the
 * time and the body are signed together, so that none of them can be changed or sent again much later. Several secrets sign while
 * one takes the place of another.
 */
import { createHmac } from 'node:crypto'
import type { Notice } from '../../books/notice.ts'
import { dial } from '../http/dial.ts'

/** A receiver that thinks longer is taken for one that failed. */
const answer_ms = 10_000
const mostAnswer = 64 * 1024

export interface Signed {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

export function signed(notice: Notice, secrets: readonly string[], now_ms: number): Signed {
  const { id, type, at_ms, data } = notice
  const body = JSON.stringify({ type, timestamp: new Date(at_ms).toISOString(), data })
  const timestamp = String(Math.floor(now_ms / 1000))
  const signatures = secrets.map((secret) => `v1,${signature(secret, `${id}.${timestamp}.${body}`)}`)
  return {
    body,
    headers: {
      'content-type': 'application/json',
      'user-agent': 'wattmill',
      'webhook-id': id,
      'webhook-timestamp': timestamp,
      'webhook-signature': signatures.join(' '),
    },
  }
}

/** `whsec_` and base64 is how the specification writes a secret; any other text is taken as it stands. */
function signature(secret: string, content: string): string {
  const [, encoded] = /^whsec_([A-Za-z0-9+/=]+)$/.exec(secret) ?? []
  const key = encoded === undefined ? Buffer.from(secret) : Buffer.from(encoded, 'base64')
  return createHmac('sha256', key).update(content).digest('base64')
}

export type Delivery =
  | { readonly delivered: true }
  | { readonly delivered: false; readonly why: string; readonly gone: boolean }

/** Never throws. `gone`: the receiver wants no more of it (410). */
export async function deliver(url: string, { headers, body }: Signed): Promise<Delivery> {
  const to = new URL(url)
  const pool = dial(to, { connections: 1, connectMs: answer_ms })
  try {
    const { statusCode, body: answer } = await pool.request({
      method: 'POST',
      path: `${to.pathname}${to.search}`,
      headers,
      body,
      signal: AbortSignal.timeout(answer_ms),
    })
    await answer.dump({ limit: mostAnswer })
    if (statusCode >= 200 && statusCode < 300) return { delivered: true }
    return { delivered: false, why: `answered ${statusCode}`, gone: statusCode === 410 }
  } catch (cause) {
    return { delivered: false, why: cause instanceof Error ? cause.message : String(cause), gone: false }
  } finally {
    await pool.destroy()
  }
}
