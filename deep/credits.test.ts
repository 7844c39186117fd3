/** Credits in a real browser: granted, refused, returned and lived on by who runs the factory, and seen by the tenant. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory } from '../bench/load/factory.ts'
import { inaccessible, launch, logIn, open, overflow, pictures, type Visitor, visit } from './browser.ts'
import { discard } from './factory.ts'

let factory: Factory
let browser: Browser
let visitor: Visitor
let key = ''
const folder = pictures()
const year = new Date().getUTCFullYear() + 1

before(async () => {
  ;[factory, browser] = await Promise.all([startFactory(), launch()])
  for (const tenant of ['acme', 'rival'])
    key = JSON.parse(await factory.cli('keys', 'create', '--tenant', tenant, '-o', 'json')).key
  visitor = await visit(browser, factory)
  await logIn(visitor.page, factory)
})
after(async () => {
  await browser?.close()
  await discard(factory)
})

async function look(name: string, hash: string, text: string): Promise<void> {
  const { page } = visitor
  for (const [colorScheme, width] of [
    ['light', 1440],
    ['dark', 1440],
    ['light', 390],
    ['dark', 390],
  ] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.setViewportSize({ width, height: 900 })
    await open(page, factory, hash)
    await page.locator('main').getByText(text).first().waitFor()
    const seen = `${name}, ${colorScheme}, ${width} px`
    assert.equal(await overflow(page), 0, `${seen}: wider than its window`)
    if (width > 1000) assert.deepEqual(await inaccessible(page), [], seen)
    await page.screenshot({ path: join(folder, `credits-${name}-${colorScheme}-${width}.png`), fullPage: true })
  }
  await page.setViewportSize({ width: 1440, height: 900 })
}

const told = async (): Promise<{ tenant: string; only_credit: boolean; credits: Record<string, unknown>[] }[]> =>
  JSON.parse(await factory.cli('credits', 'list', '-o', 'json')).tenants

async function grant(page: Page, fields: Readonly<Record<string, string>>, kind?: string): Promise<void> {
  const dialog = page.getByRole('dialog', { name: 'Grant a credit' })
  for (const [name, value] of Object.entries(fields)) await dialog.getByLabel(name).fill(value)
  if (kind) await dialog.getByLabel('Kind').selectOption(kind)
  await dialog.getByRole('button', { name: 'Grant', exact: true }).click()
}

test('an empty page says what would be here, and a wrong amount or date is refused where it stands', async () => {
  const { page } = visitor
  await open(page, factory, 'credits')
  await page.getByText('No credit yet').waitFor()
  await page.getByRole('button', { name: 'Grant a credit' }).click()
  const dialog = page.getByRole('dialog', { name: 'Grant a credit' })
  await grant(page, { Tenant: 'acme', Amount: 'ten' })
  await dialog.getByText('"ten" is no amount of dollars').waitFor()
  assert.equal(await dialog.getByLabel('Amount').getAttribute('aria-invalid'), 'true')
  await page.screenshot({ path: join(folder, 'credits-refused.png') })
  await grant(page, { Amount: '10', Expires: '2020-01-01' })
  await dialog.getByText('would end before it could be used').waitFor()
  assert.equal(await dialog.getByLabel('Expires').getAttribute('aria-invalid'), 'true')
  await grant(page, { Tenant: 'nobody', Expires: '' })
  await dialog.getByText(/nobody/).waitFor()
  assert.deepEqual(await told(), [])
})

test('a purchase and a gift are granted, listed as the command line has them, and returned', async () => {
  const { page } = visitor
  const dialog = page.getByRole('dialog', { name: 'Grant a credit' })
  await grant(page, { Tenant: 'acme', Amount: '250.000000001', Id: 'INV-7', Expires: `${year}-12-31`, Note: 'by wire' })
  await dialog.waitFor({ state: 'hidden' })
  await page.getByRole('button', { name: 'Grant a credit' }).click()
  await grant(page, { Tenant: 'acme', Amount: '5', Id: 'WELCOME', Expires: `${year}-01-31` }, 'gift, no revenue')
  await dialog.waitFor({ state: 'hidden' })
  await page.getByRole('button', { name: 'Grant a credit' }).click()
  await grant(page, { Tenant: 'rival', Amount: '7', Id: 'SECRET-7' })
  await dialog.waitFor({ state: 'hidden' })
  const row = page.getByRole('row', { name: /INV-7/ })
  assert.match(await row.innerText(), /prepaid[\s\S]*in use[\s\S]*\$250\.000000001[\s\S]*by wire/)
  const [{ credits } = assert.fail()] = await told()
  assert.deepEqual(
    credits.map(({ id, kind, usd }) => [id, kind, usd]),
    [
      ['INV-7', 'prepaid', '250.000000001'],
      ['WELCOME', 'promo', '5'],
    ],
  )
  await factory.cli('terms', 'free', '--tokens', '1000000')
  const tiers = ['--tier', '0=5', '--tier', '20000000=12.5', '--note', 'contract 9']
  await factory.cli('terms', 'tiers', 'volume', '--tenant', 'acme', ...tiers)
  await look('list', 'credits', 'INV-7')
  const agreed = page.getByRole('row', { name: /price by volume/ })
  assert.match(await agreed.innerText(), /from 0 tokens 5 % off[\s\S]*acme[\s\S]*in force[\s\S]*contract 9/)
  await page.getByRole('button', { name: 'Return SECRET-7' }).click()
  const asked = page.getByRole('dialog', { name: 'Return SECRET-7?' })
  await asked.getByText('$7 as of now').waitFor()
  await asked.getByRole('button', { name: 'Return' }).click()
  await asked.waitFor({ state: 'hidden' })
  await page.getByRole('button', { name: 'Return SECRET-7' }).waitFor({ state: 'detached' })
  const returned = (await told())[1]?.credits[0]
  assert.deepEqual(
    [returned?.kind, returned?.returned],
    ['prepaid', true],
    'the gift before it left nothing in the form',
  )
})

test('served on credit alone, and again in any case; what stands against it is said', async () => {
  const { page } = visitor
  const name = 'Serve on credit alone acme'
  const asked = page.getByRole('dialog', { name: 'Serve on credit alone: acme?' })
  await factory.cli('budgets', 'set', '--tenant', 'acme', '--usd', '25', '--per', 'never')
  await page.getByRole('button', { name }).click()
  await asked.getByRole('button', { name: 'Serve on credit alone' }).click()
  await asked.getByText('has a budget in dollars that never renews').waitFor()
  await page.screenshot({ path: join(folder, 'credits-conflict.png') })
  await asked.getByRole('button', { name: 'Leave it' }).click()
  const { budgets } = JSON.parse(await factory.cli('budgets', 'list', '-o', 'json'))
  await factory.cli('budgets', 'remove', budgets[0].id)
  await page.getByRole('button', { name }).click()
  await asked.getByRole('button', { name: 'Serve on credit alone' }).click()
  await page.locator('main').getByText('served on credit alone').waitFor()
  assert.equal((await told())[0]?.only_credit, true)
  await page.getByRole('button', { name: 'Serve in any case acme' }).waitFor()
})

test('a viewer sees them and has no buttons', async () => {
  const authorization = `Bearer ${readFileSync(join(factory.home, 'admin.key'), 'utf8').trim()}`
  const made = await fetch(`${factory.base}/api/admins`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'the viewer', role: 'viewer' }),
  })
  const viewer = await browser.newContext()
  const page = await viewer.newPage()
  await page.goto(factory.base)
  await page.getByLabel('Admin key').fill(((await made.json()) as { key: string }).key)
  await page.getByRole('button', { name: 'Log in' }).click()
  await page.getByRole('link', { name: 'Credits' }).click()
  await page.getByRole('row', { name: /INV-7/ }).waitFor()
  assert.equal(await page.getByRole('button', { name: /Grant|Return|Serve/ }).count(), 0)
  await viewer.close()
})

test('the tenant sees what is left, what expires first, and that nothing else pays; no note, and no other tenant', async () => {
  const { page } = visitor
  key = JSON.parse(await factory.cli('keys', 'create', '--tenant', 'acme', '-o', 'json')).key
  const late = Promise.withResolvers<void>()
  await page.route('**/api/credits', async (route) => {
    const response = await route.fetch()
    await late.promise
    await route.fulfill({ response })
  })
  await page.waitForRequest('**/api/credits')
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.getByLabel('key of your own').fill(key)
  // An answer that was on its way when somebody left brings nothing back, and takes nothing that is typed.
  const answered = page.waitForResponse('**/api/credits')
  late.resolve()
  await (await answered).finished()
  await page.unroute('**/api/credits')
  await page.getByRole('button', { name: 'Log in' }).click()
  await open(page, factory, '')
  await page.getByRole('link', { name: '$255.000000001 left' }).waitFor()
  await look('tenant-overview', '', 'nothing is served without it')
  await look('tenant', 'credit', 'You are served on credit alone')
  const text = await page.locator('main').innerText()
  assert.match(text, /\$255\.000000001 left to use now/)
  assert.match(text, /free quota\s+1.000.000 tokens free\s+all\s+all\s+0 tokens/)
  assert.match(text, /price by volume/)
  assert.doesNotMatch(text, /contract 9/)
  assert.match(text, /WELCOME expires first/)
  assert(!/by wire|SECRET-7|rival/.test(text), text)
  await look('tenant-statement', 'statements', 'is due')
  assert.match(await page.getByRole('row', { name: /INV-7/ }).innerText(), /\$250\.000000001/)
})

test('no page gave an error, or asked anybody but its factory', () => {
  assert.deepEqual(visitor.complaints, [])
  console.log(`pictures: ${folder}`)
})
