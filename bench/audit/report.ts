import { dice } from '../dice.ts'
import { faults } from './faults.ts'
import type { Audit } from './join.ts'
import { audit } from './join.ts'
import type { Records } from './records.ts'

export interface PlantedResult {
  readonly fault: string
  /** `impossible`: these records have nothing that could be spoiled so. */
  readonly result: 'found' | 'missed' | 'impossible'
}

/** Plants every fault into a copy of the records; each must be found, and named. */
export function plantAll(records: Records, seed: number): PlantedResult[] {
  return Object.entries(faults).map(([fault, plant]) => {
    const planted = plant(records, dice(seed))
    if (!planted) return { fault, result: 'impossible' }
    const found = audit(planted.records).findings.some((one) => one.subject === planted.subject)
    return { fault, result: found ? 'found' : 'missed' }
  })
}

/** Findings beyond this many are only counted: the first ones tell the cause. */
const shown = 40

export function printAudit({ summary, findings }: Audit): void {
  for (const [name, value] of Object.entries(summary)) console.log(`  ${name.padEnd(22)} ${value}`)
  for (const one of findings.slice(0, shown)) console.log(`  FINDING ${one.kind} ${one.subject}: ${one.message}`)
  if (findings.length > shown) console.log(`  … and ${findings.length - shown} more`)
}

export function printFaults(planted: readonly PlantedResult[]): void {
  for (const { fault, result } of planted) console.log(`  planted: ${fault.padEnd(28)} ${result}`)
}
