/** Factories that a budget is spent in: one home, or two whose operators share a store on PostgreSQL. */
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freshSchema } from '../../src/adapters/postgres/testing-schema.ts'
import { type Factory, startFactory, temporaryHome, until } from './factory.ts'
import { startSynthetic, syntheticModel } from './synthetic.ts'

export interface Homes {
  readonly factories: readonly Factory[]
  readonly model: string
  stop(): Promise<void>
}

export async function oneHome(): Promise<Homes> {
  const factory = await startFactory({ args: ['--gateways', '4'] })
  return { factories: [factory], model: 'starter', stop: () => end([factory]) }
}

export async function twoHomes(address: string): Promise<Homes> {
  const schema = freshSchema(address)
  const synthetic = await startSynthetic({ ttft_ms: 20, gap_ms: 5 })
  const factories: Factory[] = []
  const stop = async (): Promise<void> => {
    await end(factories)
    synthetic.close()
    schema.drop()
  }
  try {
    factories.push(await started(temporaryHome(), schema.url))
    const [first] = factories as [Factory]
    await first.cli('engines', 'add', 'synthetic', '--url', synthetic.base, '--model', syntheticModel)
    // Keys are hashed under the pepper: homes that share a store share it too.
    const home = temporaryHome()
    mkdirSync(home, { recursive: true, mode: 0o700 })
    for (const name of ['pepper', 'admin.key']) copyFileSync(join(first.home, name), join(home, name))
    factories.push(await started(home, schema.url))
    for (const { base } of factories)
      await until('it serves the model', async () => {
        const answer = await fetch(`${base}/readyz`)
        await answer.arrayBuffer()
        return answer.status === 200 || undefined
      })
    return { factories, model: syntheticModel, stop }
  } catch (cause) {
    await stop()
    throw cause
  }
}

async function started(home: string, store: string): Promise<Factory> {
  const config = join(home, 'bench.yaml')
  writeFileSync(config, `store: ${JSON.stringify(store)}\ngateways: 2\n`, { mode: 0o600 })
  return startFactory({ home, args: ['--config', config] })
}

async function end(factories: readonly Factory[]): Promise<void> {
  for (const factory of factories) {
    await factory.stop()
    rmSync(factory.home, { recursive: true, force: true })
  }
}
