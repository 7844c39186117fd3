/** The thread that holds a connection to PostgreSQL: one question at a time, answered before the next one comes. */
import { type MessagePort, workerData } from 'node:worker_threads'
import { Client } from 'pg'
import type { Integers } from '../database/database.ts'
import type { Call, Joint, Numbered, Told } from './call.ts'
import { readAs } from './values.ts'

const { url, signal, statement_ms, port } = workerData as Joint & { readonly port: MessagePort }

/** Longest wait for a connection: a database that is there answers in a moment. */
const connect_ms = 5000

let client: Client | undefined
const names = new Map<string, string>()

async function connect(): Promise<Told> {
  void client?.end().catch(() => undefined) // not waited for: it may be the one that does not answer
  names.clear()
  const made = new Client({
    connectionString: url,
    application_name: 'wattmill',
    connectionTimeoutMillis: connect_ms,
    statement_timeout: statement_ms,
    keepAlive: true,
    types: { getTypeParser: () => (text: string) => text },
  })
  // A connection that breaks between two questions fails the next one.
  made.on('error', () => {
    if (client === made) client = undefined
  })
  await made.connect()
  client = made
  return nothing
}

const aborted = { severity: 'ERROR', code: '25P02' }

const nothing: Told = { ok: true, rows: [], changed: 0 }

async function answer(call: Call): Promise<Told> {
  if (call.do === 'connect') return connect()
  if (!client) return { ok: false, message: 'the connection is gone', state: '08006', lost: true }
  if (call.do === 'close') {
    await client.end()
    return nothing
  }
  if (call.do === 'exec') {
    const done = await client.query(call.script)
    // What failed within it has undone it already, and PostgreSQL says so by another word than the one it was given.
    if (call.script === 'commit' && done.command !== 'COMMIT')
      throw Object.assign(new Error('the transaction had failed'), aborted)
    return nothing
  }
  const result = await client.query({
    text: call.sql,
    values: call.values as unknown[],
    rowMode: 'array',
    ...(call.keep && { name: nameOf(call.sql) }),
  })
  const rows = result.rows as (string | null)[][]
  return { ok: true, rows: objectsOf(rows, result.fields, call.integers), changed: result.rowCount ?? 0 }
}

function nameOf(sql: string): string {
  const known = names.get(sql) ?? `s${names.size}`
  names.set(sql, known)
  return known
}

/** The order of insertion: `*` does not show it in SQLite, and no statement asks to see it. */
const hidden = 'rowid'

const objectsOf = (
  rows: readonly (readonly (string | null)[])[],
  fields: readonly { readonly name: string; readonly dataTypeID: number }[],
  integers: Integers,
): unknown[] =>
  rows.map((row) => {
    const object: Record<string, unknown> = {}
    for (const [place, { name, dataTypeID }] of fields.entries())
      if (name !== hidden) object[name] = readAs(row[place] ?? null, dataTypeID, integers)
    return object
  })

port.on('message', async ({ number, of: call }: Numbered<Call>) => {
  const told = await answer(call).catch((error: Error & { code?: string }): Told => {
    const state = error.code ?? ''
    // What the server says has a severity; without one it is the connection that failed.
    const lost = !('severity' in error) || /^(08|57P)/.test(state)
    return { ok: false, message: error.message, state, lost }
  })
  const numbered: Numbered<Told> = { number, of: told }
  port.postMessage(numbered)
  Atomics.add(signal, 0, 1)
  Atomics.notify(signal, 0)
})
