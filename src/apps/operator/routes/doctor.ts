import { type Machine, readMachine } from '../../../adapters/machine/machine.ts'
import { raplMeters } from '../../../adapters/rapl/rapl.ts'
import { watts } from '../../../units/quantity.ts'
import { backlogFindings, bookFindings } from '../doctor/books.ts'
import type { Finding } from '../doctor/finding.ts'
import { homeFindings } from '../doctor/home.ts'
import { machineFindings } from '../doctor/machine.ts'
import { networkFindings } from '../doctor/network.ts'
import { offerFindings } from '../doctor/offer.ts'
import { processFindings } from '../doctor/processes.ts'
import { telemetryFindings } from '../doctor/telemetry.ts'
import type { Factory } from '../factory.ts'
import { type Route, route } from '../router.ts'
import { storeReads } from '../store-reads.ts'

export interface Examined {
  readonly machine: Machine
  readonly findings: readonly Finding[]
}

export const doctorRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/doctor',
    role: 'viewer',
    storeless: true,
    about: 'This machine, what is well and what is not, each with its fix',
    run: (factory) => examine(factory),
  }),
]

/** This machine alone: for where there is no factory yet. */
export async function examineMachine(): Promise<Examined> {
  const machine = await readMachine()
  return { machine, findings: machineFindings(machine, raplMeters(watts(0))) }
}

async function examine(factory: Factory): Promise<Examined> {
  const [{ machine, findings }, home] = await Promise.all([examineMachine(), homeFindings(factory.home)])
  const network = factory.live?.listening ? networkFindings(factory.live.listening, factory.now()) : []
  const known = storeReads(factory)
  const stored = [offerFindings, telemetryFindings, bookFindings].flatMap((find) => known(() => find(factory)) ?? [])
  const rest = [...processFindings(factory), ...backlogFindings(factory), ...stored]
  return { machine, findings: [...findings, ...network, ...home, ...rest] }
}
