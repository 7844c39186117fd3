import { randomBytes } from 'node:crypto'
import { PostgresDatabase } from './postgres-database.ts'

/** A schema of its own in a database that is there; `drop` takes it away with all in it. */
export function freshSchema(url: string): { readonly url: string; drop(): void } {
  const name = `test_${randomBytes(8).toString('hex')}`
  const ask = (script: string): void => {
    const database = new PostgresDatabase(url)
    database.exec(script)
    database.close()
  }
  ask(`create schema ${name}`)
  const address = new URL(url)
  address.searchParams.set('options', `-c search_path=${name}`)
  return { url: address.href, drop: () => ask(`set client_min_messages = warning; drop schema ${name} cascade`) }
}
