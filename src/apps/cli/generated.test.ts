import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isMetric, metricOf } from '../../adapters/prometheus/metrics.ts'
import { generated, root } from './generated.ts'

for (const { file, make } of generated)
  test(`${file} is up to date`, () => {
    assert.equal(readFileSync(join(root, file), 'utf8'), make(), 'run: npm run docs')
  })

interface Panel {
  readonly title: string
  readonly description?: string
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[]
}

test('every query of the dashboard asks for metrics and labels that exist, and every panel says what to do', () => {
  const { panels } = JSON.parse(readFileSync(join(root, 'examples/grafana/wattmill.json'), 'utf8')) as {
    panels: readonly Panel[]
  }
  const charts = panels.filter(({ targets }) => targets !== undefined)
  assert(charts.length > 12, 'a check that saw nothing proves nothing')
  for (const { title, description, targets = [] } of charts) {
    assert((description ?? '').length > 20, title)
    assert(targets.length > 0, title)
    for (const { expr, legendFormat } of targets) {
      const names = expr.match(/\b(wattmill|gen_ai)_[a-z_0-9]+|vllm:[a-z_0-9]+/g) ?? []
      assert(names.length > 0, expr)
      for (const found of names) {
        const name = isMetric(found) ? found : found.replace(/_(bucket|sum|count)$/, '')
        assert(isMetric(name), `${title}: no metric ${found}`)
        assert.equal(name !== found, metricOf(name).kind === 'histogram', `${title}: ${found}`)
        assert.equal(/rate\(|increase\(/.test(expr), metricOf(name).kind !== 'gauge', `${title}: ${expr}`)
        for (const [, label = ''] of expr.matchAll(/([a-z_]+)="/g))
          assert(metricOf(name).labels.includes(label), `${title}: ${name} has no label ${label}`)
      }
      const grouped = expr.match(/sum by \(([^)]*)\)/)?.[1]?.split(', ') ?? []
      for (const [, label = ''] of legendFormat.matchAll(/\{\{([a-z_]+)\}\}/g))
        assert(grouped.includes(label), `${title}: the legend shows ${label}, which the query does not keep`)
    }
  }
})
