import { hour_ms } from '../cost-hour.ts'

/** The first hour of its month, UTC. */
export const monthStart = (hour: number): number => monthsOn(hour, 0)

/** The first hour of the month after its own. */
export const nextMonth = (hour: number): number => monthsOn(hour, 1)

function monthsOn(hour: number, months: number): number {
  const at = new Date(hour * hour_ms)
  return Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + months) / hour_ms
}
