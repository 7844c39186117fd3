/**
 * `wattmill up`: the launcher. Reads the settings, takes the home and the port, starts the factory's processes, says where it
 * stands, and stops them in order. If it is killed outright its children see their channel close and end by themselves.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isatty } from 'node:tty'
import { clock } from '../../adapters/clock/clock.ts'
import { consoleFiles } from '../../adapters/console/build.ts'
import { findModelFiles } from '../../adapters/discovery/files.ts'
import { findEngines } from '../../adapters/discovery/loopback.ts'
import { holdAlive } from '../../adapters/files/alive.ts'
import { type Home, makeHome } from '../../adapters/files/home.ts'
import { isLoopback } from '../../adapters/http/addresses.ts'
import { CertificateError, readCertificate } from '../../adapters/http/certificate.ts'
import { asControlError, ControlError } from '../operator/errors.ts'
import { type Reached, reach } from '../operator/reach.ts'
import { banner, discovered } from './banner.ts'
import { type Flags, readConfig } from './config.ts'
import { Launcher } from './launcher.ts'
import { freePort, urlOf } from './port.ts'
import type { Config } from './settings.ts'
import { stateCosts } from './state-costs.ts'

export interface UpOptions extends Flags {
  readonly home: string
  readonly config?: string
}

/** Of the clone or the package; src/apps/up and dist/apps/up lie equally deep in it. */
const top = join(import.meta.dirname, '..', '..', '..')

const say = (line: string): void => void process.stderr.write(`${line}\n`)
const tell = (lines: readonly string[]): void => void process.stdout.write(lines.map((line) => `${line}\n`).join(''))

/** Runs the factory until it is told to stop; the exit code is its return value. */
export async function up({ home: directory, config: file, ...flags }: UpOptions): Promise<number> {
  const read = (): Config => checked(readConfig(file, flags))
  const config = read()
  // Before a new home is made: a port that cannot be had leaves nothing behind.
  if (!existsSync(directory)) await freePort(config.host, config.port)
  const home = madeHome(directory)
  const lock = await takeHome(home)
  try {
    const port = await freePort(config.host, config.port)
    warnOfNetwork(config)
    const files = consoleFiles(top)
    const launcher = new Launcher({ home, config, port, console: files.folder, say, reread: read })
    const url = urlOf(config.host, port, config.certificate !== undefined)
    const state = async (factory: Pick<Reached, 'json'>): Promise<void> => stateCosts(factory, file, say)
    return await run(launcher, home, { url, console: files.build(), state })
  } finally {
    lock.release()
  }
}

function madeHome(directory: string): Home {
  try {
    return makeHome(directory)
  } catch (cause) {
    const { code } = cause as { code?: string }
    if (code !== 'EEXIST' && code !== 'ENOTDIR') throw cause
    const message = `${directory} cannot be a home: a file is where a folder should be`
    throw new ControlError('invalid_value', message, { param: 'home', next: 'wattmill up --home DIR', cause })
  }
}

/** A certificate that cannot work is told before anything is started, or replaced. */
function checked(config: Config): Config {
  try {
    if (config.certificate) readCertificate(config.certificate, clock.ms())
    return config
  } catch (cause) {
    if (!(cause instanceof CertificateError)) throw cause
    throw new ControlError('bad_certificate', cause.message, { cause })
  }
}

/** A command that looks whether a factory runs here holds the lock for a moment: so it is tried more than once. */
async function takeHome(home: Home): Promise<{ release(): void }> {
  for (let attempt = 1; attempt <= 5; attempt++) {
    const lock = holdAlive(home.upLock)
    if (lock) return lock
    await new Promise((resolve) => setTimeout(resolve, 40))
  }
  throw new ControlError('home_in_use', `a factory runs in ${home.root} already`)
}

interface Standing {
  readonly url: string
  readonly console: Promise<string | undefined>
  /** Tells the factory the costs that the file states. */
  readonly state: (factory: Pick<Reached, 'json'>) => Promise<void>
}

async function run(launcher: Launcher, home: Home, { url, console, state }: Standing): Promise<number> {
  const stopped = onSignals(launcher, () => restate(home, state))
  const started = launcher.start()
  try {
    // Told to stop while starting: what comes of the start is nobody's concern any more.
    const standing = await Promise.race([started, stopped])
    if (typeof standing === 'number') return standing
    await introduce(home, url, { ...standing, console: await console, state })
    return await stopped
  } catch (cause) {
    launcher.kill()
    throw cause
  } finally {
    started.catch(() => undefined)
  }
}

async function introduce(
  home: Home,
  url: string,
  {
    first,
    engine,
    console,
    state,
  }: Pick<Standing, 'state'> & { first: boolean; engine: boolean; console: string | undefined },
): Promise<void> {
  const factory = await reach(home.root, say)
  await state(factory)
  const { models } = (await factory.json('GET', '/api/status')) as { models: string[] | null }
  const { key } = first
    ? ((await factory.json('POST', '/api/keys', { tenant: 'default' })) as { key: string })
    : { key: undefined }
  tell(banner({ home, url, models: models ?? [], key, engine, console }))
  if (first) tell(discovered(await findEngines(), findModelFiles(), home))
}

/** A terminal's Ctrl-C may arrive twice, from the terminal and from npm or the launcher script: once within this time. */
const sameSignal_ms = 500

/** Resolves to the exit code when all have ended. The second Ctrl-C does not wait for anybody. */
function onSignals(launcher: Launcher, changed: () => Promise<void>): Promise<number> {
  return new Promise((resolve, reject) => {
    let asked: number | undefined
    const stop = (): void => {
      if (asked === undefined) {
        asked = performance.now()
        say('stopping: requests under way are finished first; Ctrl-C again ends at once')
        launcher.stop().then(() => resolve(0), reject)
      } else if (performance.now() - asked > sameSignal_ms) {
        launcher.kill()
        resolve(130)
      }
    }
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
    process.on('SIGHUP', onTerminal ? stop : () => renew(launcher, changed))
    process.on('disconnect', stop) // the script that runs us on a newer Node was killed
  })
}

/** Started from a terminal, SIGHUP says that it was closed; from anything else, that the settings have changed. */
const onTerminal = [0, 1, 2].some((stream) => isatty(stream))

async function restate(home: Home, state: Standing['state']): Promise<void> {
  const factory = await reach(home.root, say)
  await state(factory).finally(() => factory.close())
}

function renew(launcher: Launcher, changed: () => Promise<void>): void {
  changed().catch((cause: unknown) => say(`costs: ${asControlError(cause).message}`))
  say('restarting the gateways, one after the other')
  launcher.restartGateways().then(
    (count) => say(`${count} gateways restarted`),
    (cause: unknown) => say(`gateways not restarted: ${asControlError(cause).message}`),
  )
}

function warnOfNetwork({ host, certificate }: Config): void {
  if (isLoopback(host) || certificate) return
  say(
    `warning: ${host} can be reached over the network, without TLS: keys travel in the open. Give --tls-cert and --tls-key, or put a TLS proxy in front.`,
  )
}
