import { otlpExporter } from '../../adapters/otlp/export.ts'
import { otlpPayload } from '../../adapters/otlp/payload.ts'
import { Watch } from '../../adapters/prometheus/watch.ts'
import type { Factory, Live } from './factory.ts'
import { secretFrom } from './probe.ts'
import { readings } from './readings.ts'
import { version } from './version.ts'

export interface OtlpSettings {
  /** Base of a collector, such as http://127.0.0.1:4318. */
  readonly url: string
  /** env:NAME or file:PATH of its token; empty: it wants none. */
  readonly keyFrom: string
  readonly seconds: number
}

/** Sends what `/metrics` shows to a collector, again and again; while it does not take it, less and less often. */
export function sendOtlp(factory: Factory, live: Live, { url, keyFrom, seconds }: OtlpSettings): { close(): void } {
  const exporter = otlpExporter(url)
  const resource = { version, started_ms: live.started_ms }
  let told: string | undefined
  const send = async (): Promise<void> => {
    const secret = keyFrom === '' ? undefined : secretFrom(keyFrom)
    await exporter.send(otlpPayload(readings(factory, live), resource, factory.now()), secret)
  }
  const watched = async (): Promise<void> => {
    try {
      await send()
      if (told !== undefined) factory.log('OTLP: the collector takes metrics again')
      told = undefined
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      if (told !== why) factory.log(`OTLP: metrics were not taken: ${why}`)
      told = why
      throw cause
    }
  }
  const watch = new Watch(seconds * 1000, watched, factory.now)
  return {
    close() {
      watch.close()
      void exporter.close()
    },
  }
}
