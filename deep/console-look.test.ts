/** How every page looks: empty and with traffic, light and dark, wide and narrow; readable by everybody, and nothing beyond the edge. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser } from 'playwright-core'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory, until } from '../bench/load/factory.ts'
import { inaccessible, launch, logIn, open, overflow, pictures, type Visitor, visit } from './browser.ts'
import { createKey, discard } from './factory.ts'

let factory: Factory
let browser: Browser
let visitor: Visitor
const folder = pictures()

before(async () => {
  ;[factory, browser] = await Promise.all([startFactory(), launch()])
  visitor = await visit(browser, factory)
  await logIn(visitor.page, factory)
})
after(async () => {
  await browser?.close()
  await discard(factory)
})

/** Pages, and a text that is there once its answers are. */
const pages = {
  floor: ['', 'Needs you'],
  requests: ['requests', 'Settled'],
  try: ['try', 'The same from a program'],
  apps: ['apps', 'Application'],
  keys: ['keys', 'Key'],
  newKey: ['keys?new=1', 'Who pays'],
  engines: ['engines', 'embedded'],
  addEngine: ['engines?new=1', 'Requests at once'],
  engine: ['engines/embedded', 'Under way'],
  power: ['power', 'No limit of power'],
  models: ['models', 'starter'],
  model: ['models/starter', 'Last requests'],
  prices: ['prices', 'starter'],
  history: ['prices/starter', 'in force'],
  credits: ['credits', 'No credit yet'],
  profit: ['profit', 'No hour has a cost yet'],
  books: ['books', 'Do they add up?'],
  access: ['access', 'Log of changes'],
  health: ['health', 'What was looked at'],
} as const

const views = [
  ['light', 1440, 900],
  ['dark', 1440, 900],
  ['light', 390, 844],
  ['dark', 390, 844],
] as const

async function lookAt(state: string): Promise<void> {
  const { page } = visitor
  for (const [name, [hash, text]] of Object.entries(pages))
    for (const [colorScheme, width, height] of views) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.setViewportSize({ width, height })
      await open(page, factory, hash)
      await page.locator('main').getByText(text).first().waitFor()
      const seen = `${name}, ${state}, ${colorScheme}, ${width} px`
      assert.equal(await overflow(page), 0, `${seen}: wider than its window`)
      // Colours do not depend on the width, so that each is looked at once.
      if (width > 1000) assert.deepEqual(await inaccessible(page), [], seen)
      await page.screenshot({ path: join(folder, `${name}-${state}-${colorScheme}-${width}.png`), fullPage: true })
    }
}

test('every page of a factory that nobody has asked yet', async () => {
  await lookAt('empty')
})

test('an empty page says what would be there, and by which command', async () => {
  const { page } = visitor
  await open(page, factory, 'requests')
  await page.getByText('No request yet').waitFor()
  await page.getByRole('code').getByText('wattmill books requests').waitFor()
  await open(page, factory, 'engines')
  await page.getByRole('code').getByText('wattmill engines add vllm').waitFor()
  await open(page, factory, '')
  await page.getByRole('link', { name: /Nobody asks now/ }).waitFor()
})

test('every page of a factory at work', async () => {
  const key = await createKey(factory)
  const ask = async (stream: boolean): Promise<void> => {
    const reply = await fetch(`${factory.base}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'starter', stream, messages: [{ role: 'user', content: 'I lost my card' }] }),
    })
    await reply.text()
  }
  for (let number = 0; number < 24; number++) await ask(number % 4 > 0)
  await until('they are in the books', async () => {
    const { requests } = JSON.parse(await factory.cli('books', 'requests', '-o', 'json')) as { requests: unknown[] }
    return requests.length >= 20 || undefined
  })
  await lookAt('busy')
})

test('no page gave an error, or asked anybody but its factory', () => {
  assert.deepEqual(visitor.complaints, [])
  console.log(`pictures: ${folder}`)
})
