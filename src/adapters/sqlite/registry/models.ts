import type { Store } from '../store.ts'
import { all, change, one, RegistryError, run } from './change.ts'
import { embedded, serve } from './engines.ts'
import { checkName } from './names.ts'

/** A file that the embedded engine serves, left where it lies. */
export interface ModelFile {
  readonly name: string
  readonly path: string
  readonly sha256: string
  readonly bytes: number
  readonly created_ms: number
}

export const listModelFiles = (store: Store): ModelFile[] => all(store, 'select * from model_file order by name')

export const findModelFile = (store: Store, name: string): ModelFile | undefined =>
  one(store, 'select * from model_file where name = ?', name)

/** Refuses a name that is taken, before any work is put into the file. */
export function checkNewModel(store: Store, name: string): void {
  checkName('model', 'name', name)
  if (one(store, 'select 1 from engine_model where engine = ? and public = ?', embedded, name))
    throw new RegistryError('conflict', `the embedded engine serves a model ${name} already`, {
      param: 'name',
      next: `wattmill models remove ${name}   (or choose another --name)`,
    })
}

export function addModelFile(store: Store, file: ModelFile): void {
  checkNewModel(store, file.name)
  change(store, () => insertModelFile(store, file))
}

/** Within a transaction of the caller's. */
export function insertModelFile(store: Store, file: ModelFile): void {
  const { name, path, sha256, bytes, created_ms } = file
  const sql = 'insert into model_file (name, path, sha256, bytes, created_ms) values (?, ?, ?, ?, ?)'
  run(store, sql, name, path, sha256, bytes, created_ms)
  serve(store, embedded, name, name)
}

/** Takes it out of the factory; the file itself stays. */
export function removeModelFile(store: Store, name: string): ModelFile {
  const file = findModelFile(store, name)
  if (!file)
    throw new RegistryError('not_found', `no model file ${name} in the embedded engine`, {
      param: 'name',
      next: 'wattmill models list',
    })
  change(store, () => {
    run(store, 'delete from engine_model where engine = ? and public = ?', embedded, name)
    run(store, 'delete from model_file where name = ?', name)
  })
  return file
}
