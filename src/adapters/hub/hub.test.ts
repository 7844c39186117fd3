import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { writeGguf } from '../../lines/models/gguf-writer.ts'
import { Changed, type Downloading, download, NoRoom, type Progress, WrongHash } from './download.ts'
import { type Facts, factsOf } from './facts.ts'
import { FetchError, follow } from './follow.ts'
import { partPath } from './part.ts'
import { NoSource, parseSource, usualEndpoint } from './source.ts'
import { fakeHub, sha256 } from './testing-hub.ts'

/** A GGUF of some size, whose header says its licence. */
const model = Buffer.from(
  writeGguf(
    [
      ['general.architecture', 'string', 'llama'],
      ['general.license', 'string', 'apache-2.0'],
    ],
    { w: { shape: [500, 700], data: Float32Array.from({ length: 350_000 }, (_, at) => Math.sin(at)) } },
  ),
)

function folder(t: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'wm-hub-'))
  t.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

const quiet = (more: Partial<Downloading> = {}): Downloading => ({
  sha256: undefined,
  progress: () => undefined,
  pauseMs: () => 1,
  ...more,
})

const at = (base: string): Promise<Facts> => factsOf(parseSource(`${base}/m.gguf`, usualEndpoint), {})

test('sources: addresses and names at the hub', () => {
  const parsed = (text: string): unknown => {
    const source = parseSource(text, 'https://hub.example')
    return source.kind === 'url' ? source.file : [source.repo, source.revision, source.file]
  }
  assert.equal(parsed('https://x.example/a/b%20c.gguf?x=1'), 'b-c.gguf')
  assert.deepEqual(parsed('hf:org/repo/sub/file.Q4_K_M.gguf'), ['org/repo', 'main', 'sub/file.Q4_K_M.gguf'])
  assert.deepEqual(parsed('hf://org/re.po:q8_0'), ['org/re.po', 'main', 'q8_0'])
  assert.deepEqual(parsed('hf:org/repo'), ['org/repo', 'main', undefined])
  assert.deepEqual(parsed('hf:org/repo@v1.0/f.gguf'), ['org/repo', 'v1.0', 'f.gguf'])
  for (const wrong of [
    'org/repo',
    'hf:repo',
    'https://x.example/model.bin',
    'https://u:p@x.example/m.gguf',
    'ftp://x/m.gguf',
    'hf:a/b/../c/d/e:f:g',
  ])
    assert.throws(() => parseSource(wrong, usualEndpoint), NoSource, wrong)
})

test('facts come from the first bytes: size, licence, architecture, and what names this state of the file', async (t) => {
  const { base, manners, sent } = await fakeHub(t, model)
  const facts = await at(base)
  assert.deepEqual(
    [facts.bytes, facts.licence, facts.architecture, facts.identity, facts.sha256, facts.resumable],
    [model.length, { name: 'apache-2.0', from: 'file' }, 'llama', '"one"', undefined, true],
  )
  assert(sent() <= 256 * 1024, 'the rest is not fetched before somebody agrees')
  manners.ranges = false
  assert.equal((await at(base)).resumable, false)
  manners.content = Buffer.from('<html>not found, but politely</html>')
  await assert.rejects(at(base), /GGUF/)
  await assert.rejects(factsOf(parseSource(`${base}/m-00001-of-00003.gguf`, ''), {}), NoSource)
})

test('a hub: the file by its quantisation, the hash beside the redirect, the licence from the card, the token to the hub alone', async (t) => {
  const store = await fakeHub(t, model)
  const names = ['m-Q4_K_M.gguf', 'm-Q8_0.gguf', 'README.md']
  const hub = await fakeHub(t, model, (request, response) => {
    if (request.url?.startsWith('/api/models/org/repo/revision/main'))
      response.end(
        JSON.stringify({ siblings: names.map((rfilename) => ({ rfilename })), cardData: { license: 'mit' } }),
      )
    else if (request.url === '/org/repo/resolve/main/m-Q8_0.gguf') {
      response.writeHead(302, {
        location: `${store.base}/xet/abc?sig=1`,
        'x-linked-etag': `"${sha256(model)}"`,
        'x-linked-size': String(model.length),
        'x-repo-commit': 'c0ffee',
      })
      response.end()
    } else response.writeHead(401).end()
    return true
  })
  const facts = await factsOf(parseSource('hf:org/repo:q8', hub.base), { secret: 'hf_secret' })
  assert.deepEqual(
    [facts.file, facts.sha256, facts.licence, facts.revision, facts.bytes],
    ['m-Q8_0.gguf', sha256(model), { name: 'mit', from: 'hub' }, 'c0ffee', model.length],
  )
  assert(hub.asked.every(({ headers }) => headers.authorization === 'Bearer hf_secret'))
  assert(store.asked.length > 0 && store.asked.every(({ headers }) => headers.authorization === undefined))

  const path = join(folder(t), 'm.gguf')
  store.manners.cutAfter = 200_000
  store.manners.etag = '"the store has tags of its own"'
  assert.equal(await download(facts, path, quiet()), sha256(model))
  await assert.rejects(
    factsOf(parseSource('hf:org/repo', hub.base), {}),
    /name a file of org\/repo: m-Q4_K_M.gguf, m-Q8_0.gguf/,
  )
  await assert.rejects(factsOf(parseSource('hf:org/gated/x.gguf', hub.base), {}), /private, gated or not there/)
})

test('a connection that breaks again and again is gone on with; no byte is fetched twice', async (t) => {
  const { base, manners, asked, sent } = await fakeHub(t, model)
  const facts = await at(base)
  const before = sent()
  const path = join(folder(t), 'm.gguf')
  manners.cutAfter = 100_000
  const seen: Progress[] = []
  assert.equal(await download(facts, path, quiet({ progress: (one) => void seen.push(one) })), sha256(model))
  assert.deepEqual(readFileSync(path), model)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(sent() - before, model.length)
  assert.equal(asked.length, 1 + Math.ceil(model.length / 100_000))
  assert(asked.slice(2).every(({ headers }) => headers['if-range'] === '"one"'))
  assert.equal(seen.at(-1)?.bytes, model.length)
  assert.deepEqual(readdirSync(join(path, '..')), ['m.gguf'])
})

test('stopped, it leaves a part that the next run goes on with; a source that gives nothing is given up', async (t) => {
  const { base, manners, sent } = await fakeHub(t, model)
  const facts = await at(base)
  const path = join(folder(t), 'm.gguf')
  const stop = new AbortController()
  manners.pace = 5
  const progress = ({ bytes }: Progress): void => {
    if (bytes > 300_000) stop.abort()
  }
  await assert.rejects(download(facts, path, quiet({ signal: stop.signal, progress })))
  const have = statSync(partPath(path)).size
  assert(have > 300_000 && have < model.length && !existsSync(path))
  const before = sent()
  manners.pace = 0
  const whats = new Set<string>()
  assert.equal(await download(facts, path, quiet({ progress: ({ what }) => void whats.add(what) })), sha256(model))
  assert.equal(sent() - before, model.length - have)
  assert.deepEqual([...whats], ['checking what is here', 'downloading'])

  manners.cutAfter = 0
  const other = join(folder(t), 'm.gguf')
  await assert.rejects(download(facts, other, quiet()), FetchError)
  assert(!existsSync(other))
})

test('a wrong hash leaves nothing; a longer file than was said is not written on', async (t) => {
  const { base, manners } = await fakeHub(t, model)
  const facts = await at(base)
  const path = join(folder(t), 'm.gguf')
  await assert.rejects(download(facts, path, quiet({ sha256: 'f'.repeat(64) })), WrongHash)
  assert.deepEqual(readdirSync(join(path, '..')), [])
  manners.etag = undefined
  const unnamed = { ...(await at(base)), bytes: model.length - 1000 }
  await assert.rejects(download(unnamed, path, quiet()))
  assert(!existsSync(path))
})

test('another file under the same address: a part of the old one is not gone on with, in one run or the next', async (t) => {
  const { base, manners, asked } = await fakeHub(t, model)
  const path = join(folder(t), 'm.gguf')
  manners.cutAfter = 300_000
  manners.ranges = true
  const facts = await at(base)
  const progress = ({ bytes }: Progress): void => {
    if (bytes < 300_000 || manners.etag === '"two"') return
    manners.etag = '"two"'
    manners.content = Buffer.from(model).fill(7, 400_000)
    manners.cutAfter = undefined
  }
  await assert.rejects(download(facts, path, quiet({ progress })), Changed)
  assert(!existsSync(path))

  writeFileSync(partPath(path), model.subarray(0, 300_000))
  writeFileSync(
    `${partPath(path)}.json`,
    JSON.stringify({ url: facts.url.href, bytes: facts.bytes, identity: '"one"' }),
  )
  const anew = await at(base)
  const from = asked.length
  assert.equal(await download(anew, path, quiet()), sha256(manners.content))
  assert.equal(asked[from]?.headers.range, undefined)
})

test('a server without ranges begins anew each time, and the file is whole all the same', async (t) => {
  const { base, manners } = await fakeHub(t, model)
  const facts = await at(base)
  const path = join(folder(t), 'm.gguf')
  manners.ranges = false
  manners.cutAfter = 400_000
  const progress = ({ bytes }: Progress): void => {
    if (bytes >= 400_000) manners.cutAfter = undefined
  }
  assert.equal(await download(facts, path, quiet({ progress })), sha256(model))
})

test('a full disk keeps what came, and the next run goes on; too small a one is told before anything is fetched', async (t) => {
  const { base, asked } = await fakeHub(t, model)
  const facts = await at(base)
  const path = join(folder(t), 'm.gguf')
  const handle = await open(import.meta.filename)
  const handles = Object.getPrototypeOf(handle) as { write: (...args: unknown[]) => Promise<unknown> }
  await handle.close()
  const write = handles.write
  let room = 250_000
  const full = t.mock.method(
    handles,
    'write',
    function (this: unknown, chunk: Uint8Array, from: number, length: number, at: number) {
      if (room <= 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' })
      const some = Math.min(length, room)
      room -= some
      return write.call(this, chunk, from, some, at)
    },
  )
  await assert.rejects(download(facts, path, quiet()), { code: 'ENOSPC' })
  full.mock.restore()
  assert.equal(statSync(partPath(path)).size, 250_000)
  assert.equal(await download(facts, path, quiet()), sha256(model))
  assert.equal(asked.at(-1)?.headers.range, 'bytes=250000-')
  const before = asked.length
  await assert.rejects(download({ ...facts, bytes: 2 ** 60 }, join(folder(t), 'x.gguf'), quiet()), NoRoom)
  assert.equal(asked.length, before)
})

test('redirects lead to the same kind of address only, and not for ever', async (t) => {
  const { base } = await fakeHub(t, model, (request, response) => {
    response
      .writeHead(302, { location: new URL(request.url ?? '', 'http://x').searchParams.get('to') ?? '/?to=/again' })
      .end()
    return true
  })
  const to = (location: string): Promise<unknown> => follow(new URL(`${base}/?to=${encodeURIComponent(location)}`))
  await assert.rejects(to('http://10.0.0.1/m.gguf'), /address of another kind/)
  await assert.rejects(to('http://169.254.169.254/latest'), /address of another kind/)
  await assert.rejects(to('ftp://example.com/m.gguf'), /redirects from http: to ftp:/)
  await assert.rejects(to('http://'), /no address/)
  await assert.rejects(follow(new URL(`${base}/`)), /redirects more than 5 times/)
})
