import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mainSite } from '../plant/infrastructure/site.ts'
import { nanoDollars } from '../units/amount.ts'
import { StatementBuilder } from './statement.ts'
import { statementHtml } from './statement-html.ts'

const nasty = `<img src=x onerror="alert(1)">&'`

function page(name: string): string {
  const builder = new StatementBuilder(name, 0, 86_400_000)
  const part = {
    application: name,
    model: name,
    price_version: 3,
    site: mainSite,
    requests: 1234,
    tokens: 56_789,
    amount: nanoDollars(7n),
  }
  builder.count(1234, 5)
  builder.part({ ...part, cause: null, class: 'output_visible' }, undefined)
  builder.part({ ...part, cause: 'refund', class: null, tokens: 0, amount: nanoDollars(2n) }, undefined)
  builder.part({ ...part, cause: 'timeout', class: 'reasoning' }, undefined)
  builder.energy(name, 'measured', 12_345_678_901_234_567_890n)
  return statementHtml(builder.done())
}

test('a name is text on the page, whatever it is', () => {
  const html = page(nasty)
  assert(!html.includes('<img') && !html.includes(`"alert`) && !html.includes(`&'`))
  const times = html.split('&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&amp;&#39;').length - 1
  assert.equal(times, 2 + 2 + 2 + 2 + 1, 'title and tenant, and each column of names')
})

test('the page needs nothing else, runs nothing, and says every amount', () => {
  const html = page('acme')
  assert.doesNotMatch(html, /<script|<link|<iframe|@import|url\(|https?:|\son\w+=|src=|href=/)
  for (const said of [
    '0.000000005 USD',
    '0.000000007',
    '0.000000002',
    '56\u202f789',
    '12345678901234567890',
    'measured',
  ])
    assert(html.includes(said), said)
  assert.match(html, /prefers-color-scheme: dark/)
  assert.match(html, /@media print/)
  assert.match(html, /Of 5 requests some count is missing/)
  assert.equal(html.match(/<(\w+)[ >]/g)?.filter((tag) => tag.startsWith('<tr')).length, html.match(/<\/tr>/g)?.length)
})

test('what there is none of has no table', () => {
  const html = statementHtml(new StatementBuilder('acme', 0, 1).done())
  assert(!html.includes('<table') && html.includes('0 USD'))
})
