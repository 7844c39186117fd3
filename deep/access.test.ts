/** The console under each role, in a real browser: what may not be done is not there. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory } from '../bench/load/factory.ts'
import { inaccessible, launch, open, visit } from './browser.ts'
import { discard } from './factory.ts'

let factory: Factory
let browser: Browser
const keys: Record<string, string> = {}

before(async () => {
  ;[factory, browser] = await Promise.all([startFactory(), launch()])
  const authorization = `Bearer ${readFileSync(join(factory.home, 'admin.key'), 'utf8').trim()}`
  for (const role of ['viewer', 'operator', 'admin']) {
    const made = await fetch(`${factory.base}/api/admins`, {
      method: 'POST',
      headers: { authorization, 'content-type': 'application/json' },
      body: JSON.stringify({ name: `the ${role}`, role }),
    })
    keys[role] = ((await made.json()) as { key: string }).key
  }
})
after(async () => {
  await browser?.close()
  await discard(factory)
})

/** Page of the console → the button on it, and the least role that has it. */
const deeds = [
  { page: 'keys', button: 'New key', role: 'operator' },
  { page: 'apps', button: 'New application', role: 'operator' },
  { page: 'models', button: 'Add a GGUF file', role: 'operator' },
  { page: 'engines', button: 'Add engine', role: 'admin' },
  { page: 'engines/embedded', button: 'Drain', role: 'operator' },
  { page: 'engines/embedded', button: 'change', role: 'admin' },
  { page: 'prices', button: 'Set a price', role: 'admin' },
  { page: 'credits', button: 'Grant a credit', role: 'admin' },
  { page: 'access', button: 'New admin key', role: 'admin' },
]
const order = ['viewer', 'operator', 'admin']

for (const role of order)
  test(`as ${role}: every page is there, and the buttons of that role alone`, async () => {
    const visitor = await visit(browser, factory)
    const { page } = visitor
    await logInAs(page, role)
    for (const deed of deeds) {
      await open(page, factory, deed.page)
      await page.getByText(`the ${role}`).first().waitFor()
      await page.locator('main h1').first().waitFor()
      const has = await page.getByRole('button', { name: deed.button, exact: true }).count()
      assert.equal(has, order.indexOf(role) >= order.indexOf(deed.role) ? 1 : 0, `${deed.button} as ${role}`)
    }
    await page.getByText('the role').waitFor()
    await page.locator('tbody tr').filter({ hasText: 'POST /api/admins' }).first().waitFor()
    assert.deepEqual(await inaccessible(page), [])
    await open(page, factory, 'keys?new=1')
    await page.locator('main h1').first().waitFor()
    assert.equal(await page.getByRole('dialog', { name: 'New key' }).isVisible(), role !== 'viewer')
    assert.deepEqual(visitor.complaints, [])
    await visitor.close()
  })

async function logInAs(page: Page, role: string): Promise<void> {
  await page.goto(factory.base)
  const out = page.getByRole('button', { name: 'Log out' })
  if (await out.isVisible()) await out.click()
  await page.getByLabel('Admin key').fill(keys[role] ?? '')
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('heading', { name: 'Factory floor' }).waitFor()
}
