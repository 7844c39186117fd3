/** The tenant's view in a real browser: two tenants and a factory, of which each sees what is its own. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import type { Factory } from '../bench/load/factory.ts'
import { startFactory, until } from '../bench/load/factory.ts'
import { snippets } from '../console/src/tenant/snippets.ts'
import { inaccessible, launch, open, overflow, pictures, type Visitor, visit } from './browser.ts'
import { discard } from './factory.ts'

const run = promisify(execFile)
let factory: Factory
let browser: Browser
let visitor: Visitor
/** By tenant. */
const keys: Record<string, { readonly key: string; readonly id: string; readonly prefix: string }> = {}
const folder = pictures()

before(async () => {
  ;[factory, browser] = await Promise.all([startFactory(), launch()])
  for (const [tenant, app] of [
    ['acme', 'support'],
    ['rival', 'rivalry'],
  ] as const)
    keys[tenant] = JSON.parse(
      await factory.cli('keys', 'create', '--tenant', tenant, '--app', app, '--rpm', '600', '-o', 'json'),
    )
  await factory.cli('budgets', 'set', '--tenant', 'acme', '--usd', '25', '--per', 'month')
  await factory.cli('budgets', 'set', '--app', 'acme/batch', '--tokens', '1000000', '--per', 'day')
  await factory.cli('prices', 'set', 'starter', '--tenant', 'acme', '--input', '0.0123', '--output', '0.0456')
  visitor = await visit(browser, factory)
})
after(async () => {
  await browser?.close()
  await discard(factory)
})

const ask = async (key: string, content = 'I lost my card', model = 'starter'): Promise<number> => {
  const reply = await fetch(`${factory.base}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream: content.length % 2 === 0, messages: [{ role: 'user', content }] }),
  })
  await reply.text()
  return reply.status
}

async function logIn(page: Page, key: string): Promise<void> {
  await page.goto(factory.base)
  const out = page.getByRole('button', { name: 'Log out' })
  if (await out.isVisible()) await out.click()
  await page.getByLabel('key of your own').fill(key)
  await page.getByRole('button', { name: 'Log in' }).click()
}

/** Pages, and a text that is there once its answers are. */
const views = {
  overview: ['', 'Limits, and what is left'],
  models: ['models', 'starter'],
  connect: ['connect', 'The first request'],
  keys: ['keys', 'you are here with it'],
  usage: ['usage', 'UTC'],
  requests: ['requests', 'Ended'],
  errors: ['errors', 'refused at the door'],
  credit: ['credit', 'No credit'],
  statements: ['statements', 'requests that ended in'],
} as const

async function lookAt(state: string, but: readonly string[] = []): Promise<void> {
  const { page } = visitor
  for (const [name, [hash, text]] of Object.entries(views))
    for (const [colorScheme, width, height] of [
      ['light', 1440, 900],
      ['dark', 1440, 900],
      ['light', 390, 844],
      ['dark', 390, 844],
    ] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
      await page.setViewportSize({ width, height })
      await open(page, factory, hash)
      await page
        .locator('main')
        .getByText(but.includes(name) ? 'No request yet' : text)
        .first()
        .waitFor()
      const seen = `${name}, ${state}, ${colorScheme}, ${width} px`
      assert.equal(await overflow(page), 0, `${seen}: wider than its window`)
      if (width > 1000) assert.deepEqual(await inaccessible(page), [], seen)
      const shown = await page.locator('body').innerText()
      assert(!/rival/.test(shown), `${seen}: another tenant`)
      await page.screenshot({
        path: join(folder, `tenant-${name}-${state}-${colorScheme}-${width}.png`),
        fullPage: true,
      })
    }
}

test('a tenant that has not asked yet: every page, and how to begin', async () => {
  const { page } = visitor
  await logIn(page, keys.acme?.key ?? '')
  await page.getByRole('heading', { name: 'acme' }).waitFor()
  await page.getByText('Nothing was asked in the last 30 days').waitFor()
  await lookAt('empty', ['requests'])
})

test('at work: its figures, and not those of another', async () => {
  for (let number = 0; number < 12; number++) {
    assert.equal(await ask(keys.acme?.key ?? '', `I lost my card ${'x'.repeat(number)}`), 200)
    await ask(keys.rival?.key ?? '')
  }
  // Too long a prompt is admitted, and then refused by the engine: an error of its log.
  await ask(keys.acme?.key ?? '', 'card '.repeat(3000))
  await until('they are in the books', async () => {
    const { requests } = JSON.parse(await factory.cli('books', 'requests', '-o', 'json')) as { requests: unknown[] }
    return requests.length >= 20 || undefined
  })
  const { page } = visitor
  await open(page, factory, 'errors')
  await page.locator('tbody tr').filter({ hasText: 'rejected' }).waitFor()
  await open(page, factory, 'models')
  const row = page.locator('tbody tr').filter({ hasText: 'starter' }).first()
  await row.getByText('your contract').waitFor()
  await row.getByText('$0.0123').first().waitFor()
  await lookAt('busy')
})

test('a request to its receipt, a month to its files', async () => {
  const { page } = visitor
  await page.setViewportSize({ width: 1440, height: 900 })
  await open(page, factory, 'requests?outcome=complete')
  await page.locator('tbody a').first().click()
  const receipt = page.getByRole('dialog', { name: 'Receipt' })
  await receipt.getByText('Price version').waitFor()
  assert(!/embedded/.test(await receipt.innerText()), 'the engine is the factory’s concern')
  await page.screenshot({ path: join(folder, 'tenant-receipt.png') })
  await page.keyboard.press('Escape')
  await open(page, factory, 'statements')
  for (const [name, form] of [
    ['CSV', /^kind,application,model/],
    ['JSON', /^\{"tenant":"acme"/],
  ] as const) {
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name, exact: true }).click(),
    ])
    assert.match(download.suggestedFilename(), /^statement-acme-\d{4}-\d{2}\.(csv|json)$/)
    const stream = await download.createReadStream()
    let text = ''
    for await (const part of stream) text += part
    assert.match(text, form)
  }
  const [paper] = await Promise.all([page.waitForEvent('popup'), page.getByRole('link', { name: 'To print' }).click()])
  await paper.getByRole('heading', { name: 'Statement' }).waitFor()
  await paper.close()
})

test('keys in its own hands: none before the factory says so, then made, used, rotated and revoked', async () => {
  const { page } = visitor
  await open(page, factory, 'keys')
  await page.getByText('The factory lets you make no keys by yourself').waitFor()
  assert(await page.getByRole('button', { name: 'New key' }).isDisabled())
  await factory.cli('tenants', 'set', 'acme', '--key-quota', '3')
  await page.getByRole('button', { name: 'New key', disabled: false }).click()
  const dialog = page.getByRole('dialog', { name: 'New key' })
  await dialog.getByLabel('Requests per minute').fill('601')
  await dialog.getByRole('button', { name: 'Create' }).click()
  await dialog.getByText('more requests per minute than this key has').waitFor()
  await page.screenshot({ path: join(folder, 'tenant-new-key.png') })
  await dialog.getByLabel('Requests per minute').fill('60')
  await dialog.getByLabel('Application').fill('mobile')
  await dialog.getByRole('button', { name: 'Create' }).click()
  const shown = page.getByRole('dialog', { name: 'The new key' })
  const secret = (await shown.getByRole('code').first().innerText()).trim()
  await shown.getByRole('button', { name: 'I have it' }).click()
  assert.equal(await ask(secret), 200)

  const row = page.locator('tbody tr').filter({ hasText: 'mobile' })
  await row.getByRole('button', { name: 'Rotate' }).click()
  await page
    .getByRole('dialog', { name: /^Rotate/ })
    .getByRole('button', { name: 'Rotate' })
    .click()
  const next = (await shown.getByRole('code').first().innerText()).trim()
  await shown.getByRole('button', { name: 'I have it' }).click()
  assert.deepEqual([await ask(secret), await ask(next)], [401, 200])
  await row.getByRole('button', { name: 'Revoke' }).click()
  await page
    .getByRole('dialog', { name: /^Revoke/ })
    .getByRole('button', { name: 'Revoke' })
    .click()
  await row.waitFor({ state: 'detached' })
  assert.equal(await ask(next), 401)
  const log = JSON.parse(await factory.cli('changes', 'list', '--kind', 'key', '-o', 'json')) as {
    changes: { who: string }[]
  }
  assert.equal(log.changes[0]?.who, `tenant acme (${keys.acme?.id})`)
})

test('the address of a page of the factory shows a tenant nothing', async () => {
  const { page } = visitor
  for (const hash of ['engines', 'books', 'access', 'engines/embedded']) {
    await open(page, factory, hash)
    await page.getByText('There is no such page').waitFor()
  }
})

test('the snippets of the connect page run as they are', async () => {
  const env = { ...process.env, WATTMILL_KEY: keys.acme?.key }
  const [curl, , openai, , anthropic] = snippets(factory.base, 'starter')
  const answer = await run('bash', ['-c', curl?.text ?? ''], { env })
  assert.match(answer.stdout, /"choices"/)
  for (const snippet of [openai, anthropic]) {
    assert(snippet)
    const file = join(import.meta.dirname, `snippet-${process.pid}.mjs`) // beside node_modules, where its client lies
    writeFileSync(file, snippet.text)
    try {
      const { stdout } = await run(process.execPath, [file], { env })
      assert(stdout.trim().length > 1, `${snippet.name} printed nothing`)
    } finally {
      rmSync(file)
    }
  }
})

test('who rotates the key of the session stays; whose key the factory revokes is out', async () => {
  const { page } = visitor
  await open(page, factory, 'keys')
  const row = page.locator('tbody tr').filter({ hasText: 'you are here with it' })
  await row.getByRole('button', { name: 'Rotate' }).click()
  await page
    .getByRole('dialog', { name: /^Rotate/ })
    .getByRole('button', { name: 'Rotate' })
    .click()
  const shown = page.getByRole('dialog', { name: 'The new key' })
  await page.waitForTimeout(6000) // the page has asked again meanwhile
  await shown.getByRole('button', { name: 'I have it' }).click()
  await row.waitFor()
  const prefix = (await row.locator('.mono').innerText()).trim().replace('…', '')
  assert.notEqual(prefix, keys.acme?.prefix)
  await factory.cli('keys', 'revoke', prefix)
  await page.getByRole('button', { name: 'Log in' }).waitFor()
})

test('a wrong key is refused in words; no page gave an error, or asked anybody but its factory', async () => {
  const { page } = visitor
  await logIn(page, `wm-${'x'.repeat(43)}`)
  await page.getByText('nor a key of a tenant').waitFor()
  await page.screenshot({ path: join(folder, 'tenant-login.png') })
  assert.deepEqual(visitor.complaints, [])
  console.log(`pictures: ${folder}`)
})
