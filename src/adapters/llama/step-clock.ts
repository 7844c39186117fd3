import type { StepReport } from '../../plant/infrastructure/step.ts'

/** Elapsed and CPU time of this process since it was started, µs. */
export function startClock(): () => Pick<StepReport, 'took_us' | 'cpu_us'> {
  const start = performance.now()
  const cpu = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(cpu)
    return { took_us: Math.round((performance.now() - start) * 1000), cpu_us: user + system }
  }
}
