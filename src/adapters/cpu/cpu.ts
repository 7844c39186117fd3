import { cpus } from 'node:os'
import type { Watts } from '../../units/quantity.ts'
import type { MeterReader } from '../sqlite/meter.ts'

/**
 * Where no energy counter can be read: power estimated from how busy the cores were. `cpu_time` is cumulative since the
 * machine started, all of the machine's work in it, so that a reader that was away misses nothing.
 */
export const cpuMeter = (idle: Watts, full: Watts, read: typeof cpus = cpus): MeterReader => ({
  meter: 'cpu',
  idle,
  read() {
    const cores = read()
    if (cores.length === 0) return undefined // some containers hide them
    const busy_ms = cores.reduce((sum, { times }) => sum + times.user + times.nice + times.sys + times.irq, 0)
    return { kind: 'cpu_time', busy_ms, cores: cores.length, idle_watts: idle, full_watts: full }
  },
})
