/** What each meter showed, hour by hour, from the sums that are kept of it. */
import { hour_ms } from '../../../books/cost-hour.ts'
import type { MeteredHour } from '../../../books/facility.ts'
import type { Books } from '../books.ts'
import { stream } from '../query.ts'

const drawn = `
  select name, start_s, sum(amount) as amount from tally
  where span_s = 3600 and dimension = 'meter' and start_s >= ? and start_s < ?
    and measure in ('drawn/measured', 'drawn/estimated', 'drawn/simulated')
  group by name, start_s`

const hour_s = hour_ms / 1000

/** Hours [from, to). */
export const meteredHours = ({ database }: Books, from: number, to: number): MeteredHour[] =>
  [...stream<{ name: string; start_s: bigint; amount: bigint }>(database, drawn, from * hour_s, to * hour_s)].map(
    ({ name, start_s, amount }) => ({ meter: name, hour: Number(start_s) / hour_s, energy_mj: BigInt(amount) }),
  )
