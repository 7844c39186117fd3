import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { findModelFiles } from './files.ts'
import { findEngines } from './loopback.ts'

type Pages = Readonly<Record<string, unknown>>

async function fake(pages: Pages): Promise<{ server: Server; port: number }> {
  const server = createServer((request, response) => {
    const page = pages[request.url ?? '']
    if (page === 'silence') return
    response.statusCode = page === undefined ? 404 : 200
    response.end(typeof page === 'string' ? page : JSON.stringify(page ?? {}))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}

test('engines are found at their ports, told apart, and adopted by the right URL', async () => {
  const models = { data: [{ id: 'qwen' }] }
  const fakes = await Promise.all([
    fake({ '/api/version': { version: '0.9' }, '/v1/models': { data: null } }),
    fake({ '/version': { version: '0.11' }, '/v1/models': models }),
    fake({ '/health': 'no JSON', '/v1/models': models }),
    fake({ '/v1/models': '<html>' }),
  ])
  const [ollama, vllm, llamaServer, lmStudio] = fakes.map(({ port }) => port) as [number, number, number, number]
  const found = await findEngines({ ollama, vllm, llamaServer, lmStudio })
  for (const { server } of fakes) server.close()
  assert.deepEqual(found, [
    { kind: 'Ollama', url: `http://127.0.0.1:${ollama}/v1`, models: [] },
    { kind: 'vLLM', url: `http://127.0.0.1:${vllm}/v1`, models: ['qwen'] },
    { kind: 'OpenAI-compatible', url: `http://127.0.0.1:${llamaServer}/v1`, models: ['qwen'] },
  ])
})

test('who does not answer holds nobody up', async () => {
  const { server, port } = await fake({ '/v1/models': 'silence', '/version': 'silence' })
  const began = performance.now()
  assert.deepEqual(await findEngines({ ollama: port, vllm: port, llamaServer: port, lmStudio: port }), [])
  assert(performance.now() - began < 2_000)
  server.closeAllConnections()
  server.close()
})

test('model files are found through folders and links, first parts only', () => {
  const root = mkdtempSync(join(tmpdir(), 'wattmill-files-'))
  const folder = join(root, 'models--a--b', 'snapshots', 'hash')
  mkdirSync(folder, { recursive: true })
  for (const name of ['x.gguf', 'big-00001-of-00002.gguf', 'big-00002-of-00002.gguf', 'mmproj-x.gguf', 'readme.md'])
    writeFileSync(join(folder, name), 'four')
  symlinkSync(join(root, 'nowhere'), join(folder, 'gone.gguf'))
  const found = findModelFiles([join(root, 'absent'), root])
  rmSync(root, { recursive: true })
  assert.deepEqual(found.map((file) => [file.path.slice(folder.length + 1), file.bytes]).sort(), [
    ['big-00001-of-00002.gguf', 4],
    ['x.gguf', 4],
  ])
})
