import type { Command } from 'commander'
import { clock } from '../../../adapters/clock/clock.ts'
import { findModelFiles } from '../../../adapters/discovery/files.ts'
import { findEngines } from '../../../adapters/discovery/loopback.ts'
import { home as homeAt } from '../../../adapters/files/home.ts'
import { bad, type Finding, good, warning } from '../../operator/doctor/finding.ts'
import { networkFindings } from '../../operator/doctor/network.ts'
import { asControlError, ControlError } from '../../operator/errors.ts'
import { type Reached, reach } from '../../operator/reach.ts'
import { type Examined, examineMachine } from '../../operator/routes/doctor.ts'
import { discovered } from '../../up/banner.ts'
import { readConfig } from '../../up/config.ts'
import { freePort } from '../../up/port.ts'
import type { Config } from '../../up/settings.ts'
import { exitCodes } from '../exit.ts'
import { type Common, guarded, show } from '../run.ts'
import { talk } from '../talk.ts'

export function doctorCommand(program: Command): void {
  const doctor = program
    .command('doctor')
    .description('this machine, what is well and what is not, each with its fix')
    .option('--config <file>', 'settings (default: wattmill.yaml, if it is here)')
  doctor.action(() => guarded(() => examine(doctor.optsWithGlobals<Options>())))
}

interface Options extends Common {
  readonly config?: string
}

/** Works without a factory too: then it says what this machine has, and how to begin. */
async function examine(options: Options): Promise<number> {
  const [{ machine, findings, running }, engines] = await Promise.all([factoryOr(options), findEngines()])
  const files = findModelFiles()
  const all = [...findings, ...(await settingsFindings(options.config, running))]
  show({ machine, findings: all, discovered: { engines, files } }, options, () => [
    ...all.flatMap((finding) => [
      `${marks[finding.state]} ${finding.check}: ${finding.found}`,
      ...(finding.state === 'good' ? [] : [`    fix: ${finding.fix}`]),
    ]),
    '',
    ...discovered(engines, files, homeAt(options.home)),
  ])
  return all.some((finding) => finding.state === 'bad') ? exitCodes.failed.code : exitCodes.ok.code
}

const marks: Record<Finding['state'], string> = { good: 'ok ', warning: '!  ', bad: 'BAD' }

/** All that the factory says; where there is none, what this machine is. */
async function factoryOr({ home }: Options): Promise<Examined & { readonly running: boolean }> {
  let factory: Reached | undefined
  try {
    factory = await reach(home, talk)
    return { ...((await factory.json('GET', '/api/doctor')) as Examined), running: factory.running }
  } catch (cause) {
    if (!(cause instanceof ControlError)) throw cause
    const none = (cause.code === 'no_factory' ? warning : bad)('factory', cause.message, cause.next)
    const { machine, findings } = await examineMachine()
    return { machine, findings: [...findings, none], running: cause.code === 'factory_unreachable' }
  } finally {
    factory?.close()
  }
}

/** What the next `wattmill up` here would go by. */
async function settingsFindings(file: string | undefined, running: boolean): Promise<Finding[]> {
  let config: Config
  try {
    config = readConfig(file, {})
  } catch (cause) {
    const { message, next } = asControlError(cause)
    return [bad('config', message, next)]
  }
  const known = good('config', file ?? 'wattmill.yaml where it is here, and usual settings')
  return running ? [known] : [known, ...networkFindings(config, clock.ms()), await portFinding(config)]
}

async function portFinding({ host, port }: Config): Promise<Finding> {
  try {
    await freePort(host, port)
    return good('port', `${port} of ${host} is free`)
  } catch (cause) {
    const { message, next } = asControlError(cause)
    return warning('port', message, next)
  }
}
