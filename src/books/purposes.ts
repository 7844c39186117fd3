/** What a factory's cost and energy were for: inference, and the training, evaluation and data of its models. */
import type { MakingKind } from './cost.ts'
import { makingKinds } from './cost.ts'
import type { CostPart } from './cost-part.ts'
import { sumOfParts, usdText } from './cost-part.ts'
import type { FacilityEnergy } from './facility.ts'
import { figure } from './figures.ts'
import type { Job } from './making.ts'
import { makingEnergy } from './making.ts'

interface Purposes {
  /** Usage, waste and idle: all that serving took. People and floors serve every purpose, and are in none. */
  readonly inference: bigint
  readonly making: readonly CostPart[]
  readonly jobs: readonly Job[]
  readonly facility: FacilityEnergy
}

/** Those that there are. The energy of a job is what was declared of it, for as much of it as is borne in the time. */
export function purposes({ inference, making, jobs, facility }: Purposes) {
  const energy = makingEnergy(making, jobs)
  const all = [
    { purpose: 'inference' as const, amount: inference, energy_mj: facility.energy_mj, boundary: facility.boundary },
    ...makingKinds.map((kind) => ({
      purpose: kind,
      amount: sumOfParts(making.filter(({ path }) => path[1] === kind)),
      energy_mj: energy.get(kind) ?? 0n,
      boundary: 'as declared of its jobs',
    })),
  ].filter(({ amount, energy_mj }) => amount !== 0n || energy_mj > 0n)
  const [usd, mj] = [
    all.reduce((sum, { amount }) => sum + amount, 0n),
    all.reduce((sum, each) => sum + each.energy_mj, 0n),
  ]
  return all.map(({ purpose, amount, energy_mj, boundary }) => ({
    purpose: purpose satisfies 'inference' | MakingKind,
    usd: usdText(amount),
    cost_share: figure(share(amount, usd), '1', 'estimated'),
    energy_kwh: figure(energy_mj > 0n ? Number(energy_mj) / 3.6e9 : null, `kWh, ${boundary}`, 'estimated'),
    energy_share: figure(energy_mj > 0n ? share(energy_mj, mj) : null, '1', 'estimated'),
  }))
}

const share = (of: bigint, by: bigint): number | null => (by > 0n ? Number(of) / Number(by) : null)
