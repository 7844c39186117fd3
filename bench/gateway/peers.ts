/**
 * The gateways that are measured side by side. Peers are not dependencies: they are installed once into a folder of their own
 * (`--peers DIR`), each at the version named here; one that cannot be had says why.
 */
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { startFactory, until } from '../load/factory.ts'
import { mockModel } from './mock-model.ts'
import { RawClient, requestTo } from './raw.ts'

/** One way to the upstream. */
export interface Way {
  readonly name: string
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly model: string
  stop(): Promise<void>
}

const path = '/v1/chat/completions'

export async function startMock(gap_ms: number): Promise<Way> {
  const child = fork(join(import.meta.dirname, 'mock.ts'), ['--gap-ms', String(gap_ms)])
  return wayTo('direct', child, await portOf(child))
}

export async function startBare(upstream: number): Promise<Way> {
  const child = fork(join(import.meta.dirname, 'bare.ts'), ['--upstream', `http://127.0.0.1:${upstream}`])
  return wayTo('node:http + undici, bare', child, await portOf(child))
}

const wayTo = (name: string, child: ChildProcess, port: number): Way => ({
  name,
  port,
  path,
  headers: { authorization: 'Bearer none' },
  model: mockModel,
  stop: () => ended(child),
})

async function portOf(child: ChildProcess): Promise<number> {
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return port
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGKILL')
  await gone
}

export interface OwnWay extends Way {
  readonly home: string
  /** Of the launcher. */
  readonly pid: number
  /** What `books check` says once nothing is open any more. */
  check(): Promise<{ readonly conserved: boolean }>
}

/** Everything on: a key with limits on requests, tokens and dollars, the durable journal, metrics. */
export async function startWattmill(upstream: number, args: readonly string[] = []): Promise<OwnWay> {
  const factory = await startFactory({ args })
  await factory.cli(...['engines', 'add', 'mock', '--url', `http://127.0.0.1:${upstream}/v1`, '--concurrency', '20000'])
  await factory.cli('prices', 'set', mockModel, '--input', '0.10', '--output', '0.40')
  const made = await factory.cli('keys', 'create', '--tenant', 'bench', '--app', 'load', '-o', 'json')
  await factory.cli('budgets', 'set', '--tenant', 'bench', '--usd', '1000', '--per', 'month')
  await factory.cli('budgets', 'set', '--tenant', 'bench', '--requests', '100000000', '--per', 'minute')
  await factory.cli('budgets', 'set', '--tenant', 'bench', '--tokens', '100000000000', '--per', 'minute')
  const { key } = JSON.parse(made) as { key: string }
  return {
    name: 'wattmill',
    port: Number(new URL(factory.base).port),
    path,
    headers: { authorization: `Bearer ${key}` },
    model: mockModel,
    home: factory.home,
    pid: factory.pid,
    async check() {
      return until('the books had all of it', async () => {
        const books = JSON.parse(await factory.cli('books', 'check', '-o', 'json')) as {
          open: number
          conserved: boolean
        }
        return books.open === 0 ? books : undefined
      })
    },
    async stop() {
      await factory.stop()
      rmSync(factory.home, { recursive: true, force: true })
    },
  }
}

/** Its release since then answers every stream with 500 unless this is pinned (Portkey-AI/gateway, issues 1389 and 1550). */
const portkeyPackage = {
  private: true,
  dependencies: { '@portkey-ai/gateway': '1.15.2' },
  overrides: { '@hono/node-server': '1.13.8' },
}

/** What Portkey sleeps before the first event of a stream, as it is shipped. */
export const portkeySleep_ms = 25

export async function startPortkey(folder: string, upstream: number): Promise<Way> {
  const top = join(folder, 'portkey')
  const start = join(top, 'node_modules/@portkey-ai/gateway/build/start-server.js')
  if (!existsSync(start)) {
    mkdirSync(top, { recursive: true })
    writeFileSync(join(top, 'package.json'), JSON.stringify(portkeyPackage))
    execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts'], { cwd: top, stdio: 'ignore' })
  }
  // It has no option for the address and would listen to all of the network. And it sleeps 25 ms before the first event of every
  // stream (`readStream` in its build): without that, what is compared is work, and not a timer.
  const preload = join(top, 'preload.cjs')
  writeFileSync(
    preload,
    `const timer = globalThis.setTimeout
globalThis.setTimeout = (then, ms, ...all) => (ms === ${portkeySleep_ms} ? setImmediate(then, ...all) : timer(then, ms, ...all))
const { Server } = require('node:net'); const listen = Server.prototype.listen
Server.prototype.listen = function (...all) {
  const [first] = all
  if (typeof first === 'number') return listen.call(this, { port: first, host: '127.0.0.1' }, ...all.slice(1).filter((one) => typeof one === 'function'))
  if (first && typeof first === 'object' && 'port' in first) first.host = '127.0.0.1'
  return listen.apply(this, all)
}`,
  )
  const port = await freePort()
  const child = spawn(process.execPath, ['--require', preload, start, `--port=${port}`, '--headless'], {
    stdio: 'ignore',
    env: { ...process.env, NODE_ENV: 'production', TRUSTED_CUSTOM_HOSTS: '127.0.0.1,localhost' },
  })
  const way: Way = {
    name: 'Portkey 1.15.2',
    port,
    path,
    headers: {
      authorization: 'Bearer x',
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${upstream}/v1`,
    },
    model: mockModel,
    stop: () => ended(child),
  }
  await answers(way)
  return way
}

const liteLlm = '1.108.7'

export async function startLiteLlm(folder: string, upstream: number): Promise<Way> {
  const top = join(folder, 'litellm')
  const program = join(top, 'bin', 'litellm')
  if (!existsSync(program)) {
    mkdirSync(folder, { recursive: true })
    execFileSync('python3', ['-m', 'venv', top], { stdio: 'ignore' })
    execFileSync(join(top, 'bin', 'pip'), ['install', '-q', `litellm[proxy]==${liteLlm}`], { stdio: 'ignore' })
  }
  const version = execFileSync(join(top, 'bin', 'python'), [
    '-c',
    'import importlib.metadata as m; print(m.version("litellm"))',
  ])
  const config = join(top, 'config.yaml')
  writeFileSync(
    config,
    JSON.stringify({
      model_list: [
        {
          model_name: mockModel,
          litellm_params: { model: `openai/${mockModel}`, api_base: `http://127.0.0.1:${upstream}/v1`, api_key: 'x' },
        },
      ],
      general_settings: { master_key: 'sk-bench' },
      litellm_settings: { telemetry: false },
    }),
  )
  const port = await freePort()
  const args = ['--config', config, '--host', '127.0.0.1', '--port', String(port), '--num_workers', '1']
  const child = spawn(program, args, {
    stdio: 'ignore',
    env: { ...process.env, LITELLM_LOCAL_MODEL_COST_MAP: 'True', LITELLM_LOG: 'ERROR' },
  })
  const way: Way = {
    name: `LiteLLM ${String(version).trim()}`,
    port,
    path,
    headers: { authorization: 'Bearer sk-bench' },
    model: mockModel,
    stop: () => ended(child),
  }
  await answers(way)
  return way
}

async function answers(way: Way): Promise<void> {
  const request = requestTo(way.path, way.headers, { model: way.model, messages: [{ role: 'user', content: 'hi' }] })
  await until(`${way.name} answered`, async () => {
    const client = new RawClient(way.port)
    try {
      const { status } = await client.ask(request)
      return status === 200 ? true : undefined
    } catch {
      return undefined
    } finally {
      client.close()
    }
  })
}

async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return port
}
