import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import type { Command } from 'commander'
import { holdAlive } from '../../../adapters/files/alive.ts'
import { home as homeAt } from '../../../adapters/files/home.ts'
import { declaredBy } from '../../../adapters/http/dial.ts'
import { Changed, download, NoRoom, type Progress, WrongHash } from '../../../adapters/hub/download.ts'
import { type Facts, factsOf } from '../../../adapters/hub/facts.ts'
import { FetchError } from '../../../adapters/hub/follow.ts'
import { dropPart, hasPart } from '../../../adapters/hub/part.ts'
import { NoSource, parseSource, usualEndpoint } from '../../../adapters/hub/source.ts'
import { secretOf } from '../../../adapters/openai/secret.ts'
import { ControlError } from '../../operator/errors.ts'
import { nameOf, sha256Of } from '../../operator/model-file.ts'
import type { Reached } from '../../operator/reach.ts'
import { exitCodes } from '../exit.ts'
import { fields, type Row } from '../print.ts'
import { type Common, does, path, show } from '../run.ts'
import { talk } from '../talk.ts'
import { binary, TransferProgress } from '../transfer.ts'

interface Pull {
  readonly name?: string
  readonly sha256?: string
  readonly yes?: boolean
  readonly keyFrom?: string
}

export function pullCommand(models: Command): void {
  does<Pull>(
    models
      .command('pull')
      .description('download a GGUF file and serve it; licence and size are shown first')
      .argument('<source>', 'https://…/FILE.gguf, hf:ORG/REPO/FILE.gguf or hf:ORG/REPO:Q4_K_M')
      .option('--name <name>', "what clients ask for (default: the file's name)")
      .option('--sha256 <hex>', 'what the file must have; where a hub tells it, its word is used')
      .option('--yes', 'do not ask')
      .option('--key-from <where>', 'env:NAME or file:PATH of a token for the hub (default: env:HF_TOKEN for hf:)'),
    pull,
  )
}

async function pull(factory: Reached, options: Pull & Common, source = ''): Promise<number | undefined> {
  const stop = new AbortController()
  const onSignal = (): void => stop.abort()
  process.once('SIGINT', onSignal)
  try {
    const added = await fetched(factory, options, source, stop.signal)
    show(added, options, ({ notice: _, published: __, ...model }: Row) => fields(model))
    return undefined
  } catch (cause) {
    if (!stop.signal.aborted) throw wordsFor(cause)
    talk('Stopped. The same command goes on from here.')
    return exitCodes.interrupted.code
  } finally {
    process.off('SIGINT', onSignal)
  }
}

async function fetched(factory: Reached, options: Pull & Common, text: string, signal: AbortSignal): Promise<unknown> {
  const source = parseSource(text, process.env.HF_ENDPOINT ?? usualEndpoint)
  const reference = options.keyFrom ?? (source.kind === 'hub' ? 'env:HF_TOKEN' : undefined)
  const asking = { signal, secret: reference && secretOf(reference) }
  const facts = await factsOf(source, asking)
  const sha256 = wantedHash(options.sha256, facts)
  const name = options.name ?? nameOf(facts.file)
  await free(factory, name)
  const folder = homeAt(options.home).models
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, facts.file)
  await agreed(facts, name, file, sha256, options)
  const lock = holdAlive(join(folder, 'pull.lock'))
  if (!lock) throw new ControlError('conflict', 'another pull is under way here', { next: 'Wait until it is done.' })
  try {
    if (existsSync(file)) await sameFile(file, sha256)
    else await downloaded(facts, file, { ...asking, sha256 })
  } finally {
    lock.release()
  }
  return factory.json('POST', '/api/models', { path: file, name })
}

async function downloaded(
  facts: Facts,
  file: string,
  how: { readonly signal: AbortSignal; readonly secret: string | undefined; readonly sha256: string | undefined },
): Promise<void> {
  const bar = new TransferProgress()
  try {
    const progress = ({ bytes, of, what }: Progress): void => bar.tell(what, bytes, of)
    const sha256 = await download(facts, file, { ...how, progress })
    bar.end()
    talk(`${how.sha256 ? 'sha256 verified' : 'sha256, which nobody confirms'}: ${sha256}`)
  } catch (cause) {
    bar.end()
    if (cause instanceof Changed) dropPart(file)
    throw cause
  }
}

function wantedHash(given: string | undefined, facts: Facts): string | undefined {
  if (given !== undefined && !/^[0-9a-f]{64}$/i.test(given))
    throw new ControlError('invalid_value', '--sha256 is 64 hexadecimal digits', { param: 'sha256' })
  const wanted = given?.toLowerCase() ?? facts.sha256
  if (wanted === undefined && facts.url.protocol === 'http:' && declaredBy(facts.url) === 'public')
    throw new ControlError(
      'invalid_value',
      `${facts.url.host} speaks plain http: anybody on the way may change the file`,
      {
        param: 'source',
        next: 'Use an https:// address, or say what the file must be with --sha256 HEX',
      },
    )
  return wanted
}

/** Asked before gigabytes are fetched, not after. */
async function free(factory: Reached, name: string): Promise<void> {
  try {
    await factory.json('GET', path`/api/models/${name}`)
  } catch (cause) {
    if (cause instanceof ControlError && cause.code === 'not_found') return
    throw cause
  }
  throw new ControlError('conflict', `there is a model ${name} already`, {
    param: 'name',
    next: `Choose another with --name, or wattmill models remove ${name}`,
  })
}

async function sameFile(file: string, sha256: string | undefined): Promise<void> {
  if (sha256 !== undefined && (await sha256Of(file)) === sha256) return talk(`${file} is here already`)
  throw new ControlError('conflict', `${file} is there and is not known to be this file`, {
    next: `Remove it, or serve it as it is: wattmill models add ${file}`,
  })
}

/** Shows what would be fetched; a person says yes, or `--yes` has. */
async function agreed(
  facts: Facts,
  name: string,
  file: string,
  sha256: string | undefined,
  options: Pull,
): Promise<void> {
  const { licence, bytes } = facts
  const about = {
    model: name,
    licence: licence ? `${licence.name} (said by the ${licence.from})` : 'unknown: nobody says; look at its page',
    size: binary(bytes),
    architecture: facts.architecture,
    from: `${facts.url.host}${facts.url.pathname}`,
    revision: facts.revision,
    sha256: sha256 ?? 'unknown: nobody says',
    to: file,
    begun: hasPart(file) ? 'a part is here' : undefined,
  }
  for (const line of fields(about)) talk(line)
  if (options.yes) return
  if (!process.stdin.isTTY || !process.stderr.isTTY)
    throw new ControlError('confirmation_needed', 'nothing was downloaded: nobody is here to be asked', {
      next: 'Add --yes when licence and size are fine.',
    })
  const asking = createInterface({ input: process.stdin, output: process.stderr })
  const answer = await asking.question('Download it? [y/N] ').finally(() => asking.close())
  if (!/^y(es)?$/i.test(answer.trim()))
    throw new ControlError('confirmation_needed', 'nothing was downloaded', { next: 'wattmill models list' })
}

function wordsFor(cause: unknown): unknown {
  if (cause instanceof NoSource) return new ControlError('invalid_value', cause.message, { param: 'source', cause })
  if (cause instanceof WrongHash) return new ControlError('hash_mismatch', cause.message, { cause })
  if (cause instanceof Changed)
    return new ControlError('conflict', cause.message, { next: 'Run the command again: it begins anew.', cause })
  if (cause instanceof NoRoom) return new ControlError('disk_full', cause.message, { cause })
  if (cause instanceof FetchError) return new ControlError('download_failed', cause.message, { cause })
  const { code, path: where = 'the disk' } = (cause ?? {}) as { code?: string; path?: string }
  if (code === 'ENOSPC' || code === 'EDQUOT')
    return new ControlError('disk_full', `${where} is full; what came is kept`, {
      next: 'Free some space and run the command again: it goes on from there.',
      cause,
    })
  return cause
}
