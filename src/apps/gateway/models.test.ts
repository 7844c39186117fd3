import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PriceRange } from '../../books/price-range.ts'
import { bench, fakeUpstream, perMillion, testKey } from './testing.ts'

test('a model is listed with what a token costs this key, at the least and at the most where several sites may answer', async (t) => {
  const up = await fakeUpstream(t, (response) => response.end('{}'))
  const price = { model: 'm', effective_from_ms: 0, note: '', perMillion }
  const dearer = { ...perMillion, output_visible: '310000000' }
  const { url } = await bench(t, {
    engines: [
      { url: up.url, models: { m: 'a', free: 'b' } },
      { url: up.url, site: 'eu-north' },
      { url: up.url, site: 'us-west', draining: true },
    ],
    aliases: { best: ['nowhere', 'm'] },
    prices: [
      { ...price, version: 4, site: 'eu-north', perMillion: dearer },
      { ...price, version: 5, site: 'us-west', perMillion: { ...dearer, output_visible: '9' } },
      { ...price, version: 6, tenant: 'other', perMillion: { ...dearer, output_visible: '7' } },
      { ...price, version: 7, slo: 'batch', perMillion: { ...dearer, output_visible: '8' } },
    ],
  })
  interface Listed {
    readonly id: string
    readonly wattmill: { readonly usd_per_million: PriceRange | null }
  }
  const get = async (path: string) => {
    const reply = await fetch(`${url}/v1/models${path}`, { headers: { authorization: `Bearer ${testKey}` } })
    return (await reply.json()) as Listed & { readonly data: readonly Listed[] }
  }
  const { wattmill } = await get('/m')
  assert(wattmill.usd_per_million)
  assert.deepEqual(wattmill.usd_per_million.output_visible, { from: '0.1', to: '0.31' })
  assert.deepEqual(wattmill.usd_per_million.input_uncached, { from: '0.05', to: '0.05' })
  assert.deepEqual((await get('/best')).wattmill, wattmill)
  const { data } = await get('')
  const free = data.find((one) => one.id === 'free')
  assert.deepEqual(free?.wattmill, { usd_per_million: null })
})
