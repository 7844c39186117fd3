import { readFileSync } from 'node:fs'
import { writeWhole } from '../files/home.ts'
import type { FactorySnapshot, WireSnapshot } from './contract.ts'
import { parseSnapshot } from './contract.ts'

/** The last snapshot that was good, so that a gateway starts without the operator. Undefined: none, or not readable. */
export function readStored(path: string): FactorySnapshot | undefined {
  try {
    return parseSnapshot(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return undefined
  }
}

/** It holds hashes of keys and references to secrets, and is readable by its owner alone all the same. */
export const writeStored = (path: string, snapshot: WireSnapshot): void =>
  writeWhole(path, JSON.stringify(snapshot), 0o600)
