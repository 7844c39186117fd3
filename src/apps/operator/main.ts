/**
 * The operator process: the store, the books, the control API on a local socket. It ends on SIGTERM, or when the
 * launcher that started it is gone; Ctrl-C is the launcher's to hear, which stops it last.
 *
 *   node src/apps/operator/main.ts --home .wattmill
 */
import { parseArgs } from 'node:util'
import { asControlError } from './errors.ts'
import { launcherLink } from './launcher-link.ts'
import { operatorSettings } from './settings.ts'
import { type Operator, startOperator } from './start.ts'

const log = (line: string): void => console.error(`operator: ${line}`)

async function main(directory: string): Promise<void> {
  const launcher = process.send ? launcherLink(process) : undefined
  const operator = await startOperator(directory, operatorSettings(process.env.WATTMILL_OPERATOR), log, launcher)
  let stopping = false
  const stop = (): void => {
    if (stopping) return
    stopping = true
    void end(operator)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', process.send ? () => undefined : stop)
  process.on('disconnect', stop)
  process.send?.({ ready: true, first: operator.first, inside: operator.inside, models: operator.models() })
  if (process.send && !process.connected) stop() // the launcher went while the store was opened
}

async function end(operator: Operator): Promise<void> {
  try {
    await operator.stop()
    process.exit(0)
  } catch (cause) {
    log(`stopping failed: ${String(cause)}`)
    process.exit(1)
  }
}

function fail(cause: unknown): void {
  const { code, message, next } = asControlError(cause)
  log(code === 'internal_error' ? String(cause instanceof Error ? cause.stack : cause) : message)
  if (!process.send) process.exit(1)
  process.send({ failed: { code, message, next } }, () => process.exit(1))
}

const { home } = parseArgs({ options: { home: { type: 'string', default: '.wattmill' } } }).values
main(home).catch(fail)
