import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after } from 'node:test'

/** What each series of a query has at a moment; none: nothing. */
export type Script = (query: string, at_ms: number) => readonly string[]

/** A Prometheus server as it answers, of figures that are made up. */
export interface ScriptedPrometheus {
  readonly url: string
  /** Steps of each range that was asked for. */
  readonly asked: { readonly first_ms: number; readonly last_ms: number; readonly step_ms: number }[]
  down: boolean
}

export async function scriptedPrometheus(script: Script): Promise<ScriptedPrometheus> {
  const asked: ScriptedPrometheus['asked'] = []
  const success = (resultType: string, result: object): string =>
    JSON.stringify({ status: 'success', data: { resultType, result } })
  const answer = ({ pathname, searchParams }: URL): string => {
    const query = searchParams.get('query') ?? ''
    if (pathname === '/api/v1/query')
      return success(
        'vector',
        script(query, Date.now()).map((value, n) => ({ metric: { n: String(n) }, value: [Date.now() / 1000, value] })),
      )
    const [first_ms = 0, last_ms = 0, step_ms = 0] = ['start', 'end', 'step'].map(
      (name) => Number(searchParams.get(name)) * 1000,
    )
    asked.push({ first_ms, last_ms, step_ms })
    const series = new Map<number, [number, string][]>()
    for (let at_ms = first_ms; at_ms <= last_ms; at_ms += step_ms)
      for (const [n, value] of script(query, at_ms).entries())
        series.set(n, [...(series.get(n) ?? []), [at_ms / 1000, value]])
    return success(
      'matrix',
      [...series].map(([n, values]) => ({ metric: { n: String(n) }, values })),
    )
  }
  const state = { down: false }
  const server = createServer((request, reply) => {
    if (state.down) return void reply.destroy()
    const url = new URL(request.url ?? '', 'http://127.0.0.1')
    const known = ['/api/v1/query', '/api/v1/query_range'].includes(url.pathname)
    reply.writeHead(known ? 200 : 404).end(known ? answer(url) : '')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.closeAllConnections()
    server.close()
  })
  return Object.assign(state, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked })
}
