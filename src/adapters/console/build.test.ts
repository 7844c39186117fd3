import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { consoleFiles } from './build.ts'

const made: string[] = []
after(() => Promise.all(made.map((folder) => rm(folder, { recursive: true, force: true }))))

/** A clone whose console is built by a few lines: they count how often they run. */
async function clone(build: string): Promise<string> {
  const top = await mkdtemp(join(tmpdir(), 'wm-console-'))
  made.push(top)
  mkdirSync(join(top, 'console', 'src'), { recursive: true })
  for (const tool of ['vite', 'svelte']) {
    mkdirSync(join(top, 'node_modules', tool), { recursive: true })
    writeFileSync(join(top, 'node_modules', tool, 'index.js'), '')
  }
  writeFileSync(join(top, 'console', 'package.json'), '{"type": "module"}')
  writeFileSync(join(top, 'console', 'src', 'main.ts'), 'one')
  writeFileSync(join(top, 'console', 'build.ts'), build)
  return top
}

const building = `
  import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs'
  const folder = process.argv[2] ?? ''
  appendFileSync(new URL('../built', import.meta.url), 'x')
  mkdirSync(folder)
  writeFileSync(folder + '/index.html', 'page')`

const builds = (top: string): number => readFileSync(join(top, 'built'), 'utf8').length

test('built once for the same sources, by however many factories at once; again when they have changed', async () => {
  const top = await clone(building)
  const files = consoleFiles(top)
  assert.deepEqual(await Promise.all([files.build(), consoleFiles(top).build(), files.build()]), [
    undefined,
    undefined,
    undefined,
  ])
  assert.equal(readFileSync(join(files.folder, 'index.html'), 'utf8'), 'page')
  assert.equal(builds(top), 1)
  writeFileSync(join(top, 'console', 'src', 'main.ts'), 'two')
  const changed = consoleFiles(top)
  assert.notEqual(changed.folder, files.folder)
  assert.equal(await changed.build(), undefined)
  assert.equal(builds(top), 2)
  assert(existsSync(files.folder), 'a factory that runs keeps the files it began with')
})

test('a test of the console does not make it new', async () => {
  const top = await clone(building)
  const { folder } = consoleFiles(top)
  writeFileSync(join(top, 'console', 'src', 'main.test.ts'), 'test')
  assert.equal(consoleFiles(top).folder, folder)
})

test('a build that fails says why, and leaves nothing half made', async () => {
  const top = await clone("console.error('no such component'); process.exit(1)")
  const files = consoleFiles(top)
  assert.match((await files.build()) ?? '', /building it failed: no such component/)
  assert(!existsSync(files.folder))
  const cache = join(top, 'node_modules', '.cache', 'wattmill-console')
  assert.deepEqual(
    readdirSync(cache).filter((name) => !name.startsWith('build.alive')),
    [],
  )
})

test('without the build tools it says which command brings them', async () => {
  const top = await clone(building)
  await rm(join(top, 'node_modules', 'vite'), { recursive: true })
  assert.match((await consoleFiles(top).build()) ?? '', /--omit=dev.*npm ci/)
})

test('a package has it in dist', async () => {
  const top = await clone(building)
  await rm(join(top, 'console'), { recursive: true })
  assert.match((await consoleFiles(top).build()) ?? '', /came without it/)
  mkdirSync(join(top, 'dist', 'console'), { recursive: true })
  assert.equal(await consoleFiles(top).build(), undefined)
  assert.equal(consoleFiles(top).folder, join(top, 'dist', 'console'))
})
