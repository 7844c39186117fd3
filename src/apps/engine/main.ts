/**
 * The engine process: one host, its models, and an orderly end.
 *
 *   node src/apps/engine/main.ts --home .wattmill --socket .wattmill/engine.sock --model starter=models/starter/starter.gguf
 *
 * With a parent it says `{ready: true}` over IPC once it listens and every given model was tried (a model that failed is in
 * `status`, not a reason to die), and it ends when the parent is gone.
 */
import { join } from 'node:path'
import { startEngineHost } from '../../adapters/llama/host.ts'
import { estimatedBytes, memoryBudget } from '../../adapters/llama/memory.ts'
import { loadLlama, openModel } from '../../adapters/llama/model.ts'
import { type EngineSettings, engineSettings, USAGE } from './settings.ts'

/** A second more than gateways give their streams: an engine that was told to end first, or whose launcher died, outlasts them. */
const drainMs = 26_000

async function main(settings: EngineSettings): Promise<void> {
  const { home, socket, slots, threads, context, batch, queue, memory_mib, gpu, models } = settings
  const runtime = await loadLlama(threads, gpu)
  const config = { slots, threads, context, batch }
  const bound = await memoryBudget(runtime, memory_mib)
  const host = await startEngineHost(
    { socketPath: socket, logFolder: join(home, 'engine'), batch, queue, memory: bound },
    {
      bytes: (path) => estimatedBytes(runtime, path, config),
      open: (path) => openModel(runtime, path, config),
    },
  )

  const enough = Promise.withResolvers<void>()
  let ending = false
  const end = (): void => {
    if (ending) return enough.resolve() // told twice
    ending = true
    setTimeout(enough.resolve, drainMs)
    // exit leaves llama.cpp's memory to the system: freeing gigabytes first would only make the restart later
    host.close(enough.promise).then(() => process.exit(0), die)
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, end)
  process.on('disconnect', end)
  if (process.send && !process.connected) end() // the parent went while llama.cpp was loading

  for (const outcome of await host.fill(models))
    if (outcome.on === 'load_failed') console.error(`engine: ${outcome.model} was not loaded: ${outcome.message}`)
  process.send?.({ ready: true })
  console.error(`engine: ${host.incarnation} listens on ${socket}`)
}

function die(error: unknown): never {
  console.error(`engine: ${error instanceof Error ? error.message : String(error)}`)
  process.exit(1)
}

const settings = engineSettings(process.argv.slice(2))
if (settings.kind === 'refused') {
  console.error(`engine: ${settings.message}\n${USAGE}`)
  process.exit(64)
}
main(settings).catch(die)
