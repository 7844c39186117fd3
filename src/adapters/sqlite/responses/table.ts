import { all, one, run } from '../query.ts'
import { SqliteDatabase } from '../sqlite-database.ts'
import type { Keeping, Looked, Looking, Purging, Removing } from './work.ts'

/** A tenant's bytes are kept up by the table itself, whoever writes. */
const schema = `
  create table if not exists response (
    id text primary key, tenant text not null, created_ms integer not null, previous text, bytes integer not null,
    body text not null
  ) strict;
  create index if not exists response_tenant on response (tenant, created_ms);
  create index if not exists response_age on response (created_ms);
  create table if not exists held (tenant text primary key, bytes integer not null) strict;
  create trigger if not exists response_kept after insert on response begin
    insert into held (tenant, bytes) values (new.tenant, new.bytes)
    on conflict do update set bytes = bytes + excluded.bytes;
  end;
  create trigger if not exists response_gone after delete on response begin
    update held set bytes = bytes - old.bytes where tenant = old.tenant;
    delete from held where tenant = old.tenant and bytes = 0;
  end;`

/** The row's other columns, its index entries and what of its last page stays empty. */
const rowBytes = 512
/** Turns of one conversation that are read for a request; a context is full long before. */
const mostTurns = 1000
const purgedAtOnce = 500
/** Pages of 4 KiB that a purge gives back to the disk. */
const pagesGivenBack = 4096

/**
 * Kept responses, in one file that every gateway of a home opens. What is deleted is overwritten, not only unlinked: it
 * is what somebody said.
 */
export class ResponseTable {
  readonly #database: SqliteDatabase

  constructor(path: string) {
    this.#database = new SqliteDatabase(path)
    try {
      this.#database.exec('pragma busy_timeout = 5000; pragma auto_vacuum = incremental; pragma journal_mode = wal')
      this.#database.exec('pragma synchronous = full; pragma secure_delete = on; pragma journal_size_limit = 16777216')
      this.#database.exec(`begin immediate; ${schema} commit`)
    } catch (cause) {
      this.#database.close()
      throw cause
    }
  }

  close(): void {
    this.#database.close()
  }

  /** All of it or nothing. */
  transact(what: () => void): void {
    this.#database.exec('begin immediate')
    try {
      what()
      this.#database.exec('commit')
    } catch (cause) {
      if (this.#database.inTransaction) this.#database.exec('rollback')
      throw cause
    }
  }

  /** False: it alone is more than its tenant may hold. */
  put({ tenant, id, created_ms, previous, body, most }: Keeping): boolean {
    const bytes = Buffer.byteLength(body) + rowBytes
    if (bytes > most) return false
    this.#makeRoom(tenant, most - bytes)
    run(
      this.#database,
      'insert into response (id, tenant, created_ms, previous, bytes, body) values (?, ?, ?, ?, ?, ?)',
      id,
      tenant,
      created_ms,
      previous ?? null,
      bytes,
      body,
    )
    return true
  }

  held(tenant: string): number {
    return one<{ bytes: number }>(this.#database, 'select bytes from held where tenant = ?', tenant)?.bytes ?? 0
  }

  read({ tenant, previous, ids, oldest_ms, most }: Looking): Looked {
    const turns: string[] = []
    const referred: string[] = []
    let left = most
    for (let id = previous; id !== undefined; ) {
      const row = this.#row(tenant, id, oldest_ms)
      if (!row) return { found: 'missing', id }
      left -= row.bytes
      if (left < 0 || turns.length === mostTurns) return { found: 'large' }
      turns.unshift(row.body)
      id = row.previous ?? undefined
    }
    for (const id of ids) {
      const row = this.#row(tenant, id, oldest_ms)
      if (!row) return { found: 'missing', id }
      left -= row.bytes
      if (left < 0) return { found: 'large' }
      referred.push(row.body)
    }
    return { found: 'all', turns, referred }
  }

  remove({ tenant, id, oldest_ms }: Removing): boolean {
    const sql = 'delete from response where id = ? and tenant = ? and created_ms > ?'
    return run(this.#database, sql, id, tenant, oldest_ms) > 0
  }

  /** Deletes what is too old, a part at a time, so that others can write in between; the number of them. */
  purge({ oldest_ms }: Purging): number {
    const sql = `delete from response where rowid in (
      select rowid from response where created_ms <= ? order by created_ms limit ${purgedAtOnce})`
    let purged = 0
    for (let gone = purgedAtOnce; gone === purgedAtOnce; purged += gone) gone = run(this.#database, sql, oldest_ms)
    if (purged > 0) this.#database.exec(`pragma incremental_vacuum(${pagesGivenBack})`)
    return purged
  }

  #row(tenant: string, id: string, oldest_ms: number) {
    return one<{ bytes: number; previous: string | null; body: string }>(
      this.#database,
      'select bytes, previous, body from response where id = ? and tenant = ? and created_ms > ?',
      id,
      tenant,
      oldest_ms,
    )
  }

  /** The oldest of a tenant goes first. */
  #makeRoom(tenant: string, most: number): void {
    for (let held = this.held(tenant); held > most; ) {
      const oldest = all<{ id: string; bytes: number }>(
        this.#database,
        'select id, bytes from response where tenant = ? order by created_ms, id limit 100',
        tenant,
      )
      if (oldest.length === 0) return
      for (const { id, bytes } of oldest) {
        if (held <= most) return
        run(this.#database, 'delete from response where id = ?', id)
        held -= bytes
      }
    }
  }
}
