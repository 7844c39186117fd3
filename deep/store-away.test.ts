/** What one sees in the console while the books take nothing in, on a real PostgreSQL that is stopped and started again. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { startFactory } from '../bench/load/factory.ts'
import { noServer, ownServer } from '../src/adapters/postgres/testing-server.ts'
import { inaccessible, launch, logIn, open, overflow, pictures, visit } from './browser.ts'
import { createKey, discard } from './factory.ts'

test('every page says that the books take nothing in, what waits and what comes next; and no more when they do', {
  skip: noServer,
}, async (t) => {
  await using server = await ownServer()
  const [factory, browser] = await Promise.all([startFactory({ args: ['--store', server.url] }), launch()])
  t.after(() => discard(factory))
  t.after(() => browser.close())
  const { page, complaints } = await visit(browser, factory)
  await logIn(page, factory)
  const key = await createKey(factory)
  const ask = (): Promise<Response> =>
    fetch(`${factory.base}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'starter', messages: [{ role: 'user', content: 'I lost my card' }] }),
    })
  assert.equal((await ask()).status, 200)
  const banner = page.getByRole('alert').filter({ hasText: 'The books take nothing in' })
  assert.equal(await banner.count(), 0)

  server.stop()
  for (let number = 0; number < 5; number++) assert.equal((await ask()).status, 200, 'served meanwhile')
  for (const hash of ['', 'requests', 'health']) {
    await open(page, factory, hash)
    await banner.filter({ hasText: /1[02] journal rows wait/ }).waitFor()
    const text = (await banner.textContent()) ?? ''
    assert.match(
      text,
      /cannot be reached.*logs hold \d+.*served and journaled.*nothing is lost.*503 journal_unavailable/s,
    )
    assert.equal(await overflow(page), 0, hash)
  }
  await page.reload()
  await banner.waitFor() // who loads the page anew is still known
  assert.deepEqual(await inaccessible(page), [])
  await page.screenshot({ path: join(pictures(), 'store-away.png') })

  server.start()
  await banner.waitFor({ state: 'detached' })
  await open(page, factory, 'requests')
  await page.locator('tbody tr').nth(5).waitFor()
  assert.deepEqual(complaints, [])
  assert.match(await factory.cli('books', 'check'), /conserved +true/)
})
