import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { engineKinds, readEngine, vocabularyOf } from './engine-names.ts'
import { gpuNames, isBlank, readGpus } from './gpu-names.ts'
import { parseMetrics } from './parse.ts'
import { valueIn } from './query.ts'
import { Page, ScrapeError } from './scrape.ts'
import { Watch } from './watch.ts'

/** Synthetic pages: the names are the vendors', the figures are made up. */
const pages: readonly (readonly [title: string, page: string, kind: string | undefined, report: object])[] = [
  [
    'vLLM of today, two data-parallel engines',
    `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="m"} 3.0
vllm:num_requests_running{engine="1",model_name="m"} 2.0
vllm:num_requests_waiting{engine="0",model_name="m"} 1.0
vllm:kv_cache_usage_perc{engine="0",model_name="m"} 0.25
vllm:kv_cache_usage_perc{engine="1",model_name="m"} 0.75
vllm:prompt_tokens_total{engine="0",model_name="m"} 1e+03
vllm:generation_tokens_total{engine="0",model_name="m"} 500.0
vllm:prefix_cache_queries_total{engine="0",model_name="m"} 1000.0
vllm:prefix_cache_hits_total{engine="0",model_name="m"} 640.0
vllm:time_to_first_token_seconds_bucket{le="0.001",model_name="m"} 0.0`,
    'vllm',
    {
      running: 5,
      waiting: 1,
      kv_usage: 0.75,
      prompt_tokens: 1000,
      output_tokens: 500,
      prefix_queries: 1000,
      prefix_hits: 640,
    },
  ],
  [
    'vLLM of old, whose names have changed since',
    `vllm:num_requests_running{model_name="m"} 1
vllm:gpu_cache_usage_perc{model_name="m"} 0.5
vllm:gpu_prefix_cache_queries{model_name="m"} 10
vllm:gpu_prefix_cache_hits{model_name="m"} 5
vllm:prompt_tokens_total{model_name="m"} NaN`,
    'vllm',
    { running: 1, kv_usage: 0.5, prefix_queries: 10, prefix_hits: 5 },
  ],
  [
    'SGLang with tensor parallelism, in which each rank tells the same',
    `sglang:num_running_reqs{model_name="m",tp_rank="0"} 4
sglang:num_running_reqs{model_name="m",tp_rank="1"} 4
sglang:num_queue_reqs{model_name="m",tp_rank="0"} 2
sglang:token_usage{model_name="m",tp_rank="0"} 0.28
sglang:prompt_tokens_total{model_name="m"} 8.128902e+06
sglang:cached_tokens_total{model_name="m",cache_source="device"} 7
sglang:cached_tokens_total{model_name="m",cache_source="host"} 3
sglang:generation_tokens_total{model_name="m"} 7.557572e+06`,
    'sglang',
    {
      running: 4,
      waiting: 2,
      kv_usage: 0.28,
      prompt_tokens: 8128902,
      output_tokens: 7557572,
      prefix_queries: 8128902,
      prefix_hits: 10,
    },
  ],
  [
    'TensorRT-LLM behind an older Dynamo, which has a colon in its names',
    `trtllm:num_requests_running{model_name="m"} 2
trtllm_num_requests_waiting{model_name="m"} 0
trtllm_kv_cache_utilization{model_name="m"} 0.1
trtllm_generation_tokens_total{model_name="m"} 9`,
    'tensorrt-llm',
    { running: 2, waiting: 0, kv_usage: 0.1, output_tokens: 9 },
  ],
  [
    'llama.cpp server, without labels',
    `llamacpp:prompt_tokens_total 15234
llamacpp:tokens_predicted_total 284571
llamacpp:requests_processing 3
llamacpp:requests_deferred 0`,
    'llama.cpp',
    { running: 3, waiting: 0, prompt_tokens: 15234, output_tokens: 284571 },
  ],
  ['a page of something else', 'node_cpu_seconds_total{cpu="0"} 1', undefined, {}],
]
for (const [title, page, kind, report] of pages)
  test(`read: ${title}`, () => {
    const read = readEngine(parseMetrics(page).samples)
    assert.equal(read?.kind, kind)
    if (read) assert.deepEqual(read.report, report)
  })

test('no two engines share a name, so that a page is taken for one of them only', () => {
  const all = engineKinds.flatMap((kind) => [...new Set(Object.values(vocabularyOf(kind).names).flat())])
  assert(all.length > 20)
  assert.equal(new Set(all).size, all.length)
})

const board = 'gpu="0",UUID="GPU-aa",modelName="NVIDIA H200"'
const boards: readonly (readonly [title: string, page: string, expected: object | undefined])[] = [
  [
    'exporter of old: mJ, percent, MiB',
    `DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{${board}} 15152422938
DCGM_FI_DEV_POWER_USAGE{${board}} 68.244
DCGM_FI_DEV_GPU_UTIL{${board}} 91
DCGM_FI_DEV_FB_USED{${board}} 1024`,
    {
      uuid: 'GPU-aa',
      model: 'NVIDIA H200',
      energy_mj: 15152422938,
      power_w: 68.244,
      utilisation: 0.91,
      memory_used_bytes: 2 ** 30,
    },
  ],
  [
    'exporter 4.9: J, shares, bytes',
    `DCGM_FI_DEV_GPU_ENERGY_JOULES_TOTAL{${board}} 15152422
DCGM_FI_DEV_BOARD_POWER_WATTS{${board}} 68.2
DCGM_FI_DEV_GPU_UTIL_RATIO{${board}} 0.5`,
    { uuid: 'GPU-aa', model: 'NVIDIA H200', energy_mj: 15152422000, power_w: 68.2, utilisation: 0.5 },
  ],
  [
    'MIG: every slice repeats the counter of the board, which is not added up',
    `DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{${board},GPU_I_ID="3"} 257858316
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{${board},GPU_I_ID="5"} 257858316`,
    { uuid: 'GPU-aa', model: 'NVIDIA H200', energy_mj: 257858316 },
  ],
  [
    'MIG: what a slice tells of itself is not the board’s',
    `DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{${board},GPU_I_PROFILE="3g.71gb",GPU_I_ID="1"} 5000
DCGM_FI_DEV_FB_USED{${board},GPU_I_PROFILE="3g.71gb",GPU_I_ID="1"} 77
DCGM_FI_PROF_GR_ENGINE_ACTIVE{${board}} 0.6
DCGM_FI_PROF_GR_ENGINE_ACTIVE{${board},GPU_I_PROFILE="3g.71gb",GPU_I_ID="1"} 0.9
DCGM_FI_PROF_GR_ENGINE_ACTIVE{${board},GPU_I_PROFILE="1g.18gb",GPU_I_ID="9"} 140737488355330
DCGM_FI_PROF_GR_ENGINE_UTIL_RATIO{${board},GPU_I_PROFILE="1g.18gb",GPU_I_ID="5"} 0.25`,
    {
      uuid: 'GPU-aa',
      model: 'NVIDIA H200',
      energy_mj: 5000,
      instances: new Map([
        ['1', { profile: '3g.71gb', active: 0.9 }],
        ['5', { profile: '1g.18gb', active: 0.25 }],
      ]),
    },
  ],
  [
    'what is not supported is a sentinel and no energy',
    `DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{${board}} 9223372036854775794
DCGM_FI_DEV_POWER_USAGE{${board}} 140737488355330
DCGM_FI_DEV_GPU_UTIL{${board}} 2147483634
DCGM_FI_DEV_GPU_TEMP{${board}} 40`,
    { uuid: 'GPU-aa', model: 'NVIDIA H200', temperature_c: 40 },
  ],
  ['no board at all', 'DCGM_FI_DEV_POWER_USAGE 5', undefined],
]
for (const [title, page, expected] of boards)
  test(`read: ${title}`, () => assert.deepEqual(readGpus(parseMetrics(page).samples).get('GPU-aa'), expected))

test('sentinels are blank in every form, and figures are not', () => {
  for (const blank of [
    2 ** 63 - 16,
    Number('9223372036854775794'),
    2 ** 47,
    2 ** 47 + 3,
    2 ** 31 - 16,
    2147483635,
    -1,
    Number.NaN,
  ])
    assert(isBlank(blank), String(blank))
  for (const figure of [0, 1, 700, 1e13, 2 ** 31 - 17, 2 ** 47 - 1]) assert(!isBlank(figure), String(figure))
  assert(Object.keys(gpuNames).length >= 5)
})

const ends: (() => unknown)[] = []
after(async () => {
  for (const end of ends) await end()
})

async function serve(answer: (path: string) => { readonly status?: number; readonly text: string }): Promise<string> {
  const server = createServer((request, response) => {
    const { status = 200, text } = answer(request.url ?? '')
    response.writeHead(status).end(text)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  ends.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('a page is read over the guarded dial; what is no page is said to be none', async () => {
  const answers: Record<string, { status?: number; text: string }> = {
    '/metrics': { text: 'up 1\n' },
    '/html': { text: '<html>\n<body>\n</html>\n' },
    '/404': { status: 404, text: 'up 1' },
    '/large': { text: `up 1\n`.repeat(2_000_000) },
  }
  const url = await serve((path) => answers[path] ?? { status: 500, text: '' })
  const look = async (path: string): Promise<unknown> => {
    const page = new Page(`${url}${path}`)
    ends.push(() => page.close())
    return page.samples()
  }
  assert.deepEqual(await look('/metrics'), [{ name: 'up', labels: {}, value: 1 }])
  const refused = (path: string, says: RegExp): Promise<void> =>
    assert.rejects(look(path), (error) => error instanceof ScrapeError && says.test(error.message))
  await refused('/html', /something else than metrics/)
  await refused('/404', /answered 404/)
  await refused('/large', /more than 8 MiB/)
  const metadata = new Page('http://169.254.169.254/metrics')
  await assert.rejects(metadata.samples(), (error) => error instanceof ScrapeError && error.fault === 'unreachable')
  await metadata.close()
})

const queries: readonly (readonly [reply: unknown, expected: number | RegExp])[] = [
  [{ status: 'success', data: { resultType: 'vector', result: [{ metric: {}, value: [1, '350.5'] }] } }, 350.5],
  [{ status: 'success', data: { resultType: 'scalar', result: [1, '7'] } }, 7],
  [{ status: 'success', data: { resultType: 'vector', result: [] } }, /gives 0 series/],
  [{ status: 'success', data: { resultType: 'vector', result: [{ value: [1, '1'] }, { value: [1, '2'] }] } }, /sum/],
  [{ status: 'success', data: { resultType: 'vector', result: [{ value: [1, 'NaN'] }] } }, /gives NaN/],
  [{ status: 'success', data: { resultType: 'matrix', result: [] } }, /gives a matrix/],
  [{ status: 'error', error: 'parse error' }, /failed: parse error/],
  ['<html>', /no JSON/],
]
for (const [reply, expected] of queries)
  test(`a query answered with ${JSON.stringify(reply).slice(0, 80)} is ${expected}`, () => {
    const text = typeof reply === 'string' ? reply : JSON.stringify(reply)
    if (typeof expected === 'number') assert.equal(valueIn(text, 's'), expected)
    else assert.throws(() => valueIn(text, 's'), expected)
  })

test('a source that fails is looked at less and less, says why, and is fresh again when it answers', async () => {
  let now = 0
  let fails = true
  let looks = 0
  const watch = new Watch(
    1,
    async () => {
      looks++
      if (fails) throw new Error('no answer')
    },
    () => now,
  )
  ends.push(() => watch.close())
  while (watch.failures < 3) await new Promise((next) => setTimeout(next, 1))
  assert.equal(watch.trouble, 'no answer')
  assert(watch.stale)
  fails = false
  while (watch.seen_ms === undefined) await new Promise((next) => setTimeout(next, 1))
  assert.equal(watch.trouble, undefined)
  assert(!watch.stale)
  now = 10
  assert(looks > 3 && watch.stale === (watch.seen_ms !== undefined && now - watch.seen_ms > 3))
})
