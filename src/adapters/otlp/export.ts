import { dial } from '../http/dial.ts'

/** A collector that takes longer is not waited for: the next request tells the same counters further on. */
const answer_ms = 10_000

export interface Exporter {
  /** `secret` as a bearer token, where the collector wants one. Throws when it did not take it, without what was sent. */
  send(payload: object, secret: string | undefined): Promise<void>
  close(): Promise<void>
}

/** POST {base}/v1/metrics, through the guarded dial. */
export function otlpExporter(base: string): Exporter {
  const url = new URL(`${base.replace(/\/+$/, '')}/v1/metrics`)
  const pool = dial(url, { connections: 1, connectMs: answer_ms })
  return {
    async send(payload, secret) {
      const { statusCode, body } = await pool.request({
        method: 'POST',
        path: url.pathname,
        headers: {
          'content-type': 'application/json',
          ...(secret !== undefined && { authorization: `Bearer ${secret}` }),
        },
        body: JSON.stringify(payload),
        signal: AbortSignal.timeout(answer_ms),
      })
      await body.dump({ limit: 64 * 1024 })
      if (statusCode >= 300) throw new Error(`${url.origin} answered ${statusCode}`)
    },
    close: () => pool.destroy(),
  }
}
