import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { type CertificateError, type CertificateFiles, readCertificate, watchCertificate } from './certificate.ts'
import { httpServer, renewCertificate, serverBounds } from './server.ts'
import { type TestPair, testCertificate } from './testing-certificate.ts'

function filesOf(t: TestContext): CertificateFiles {
  const folder = mkdtempSync(join(tmpdir(), 'wm-tls-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') }
}

function write(files: CertificateFiles, { cert, key }: Partial<TestPair>): void {
  if (cert !== undefined) writeFileSync(files.cert, cert)
  if (key !== undefined) writeFileSync(files.key, key)
}

test('a pair that cannot serve is refused, with the file that is wrong', (t) => {
  const files = filesOf(t)
  const refused = (fault: string, of: keyof CertificateFiles): void =>
    assert.throws(
      () => readCertificate(files, Date.now()),
      (error: CertificateError) =>
        error.fault === fault && error.file === files[of] && error.message.startsWith(files[of]),
      fault,
    )
  const pair = testCertificate()
  refused('unreadable', 'cert')
  write(files, { ...pair, cert: 'no PEM' })
  refused('no_certificate', 'cert')
  write(files, { ...pair, key: pair.cert })
  refused('no_key', 'key')
  write(files, { ...pair, key: testCertificate().key })
  refused('mismatch', 'key')
  write(files, testCertificate('old', Date.now() - 1000))
  refused('expired', 'cert')
  write(files, pair)
  assert(readCertificate(files, Date.now()).until_ms > Date.now())
})

/** Whose certificate a server shows, under the protocol versions that the client offers. */
function peerOf(port: number, versions: object = {}): Promise<{ name: string; protocol: string | null }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...versions }, () => {
      resolve({ name: String(socket.getPeerCertificate().subject.CN), protocol: socket.getProtocol() })
      socket.destroy()
    })
    socket.on('error', reject)
  })
}

test('the server speaks TLS 1.2 and later; a renewed certificate is for those who come then', async (t) => {
  const files = filesOf(t)
  const first = testCertificate('first')
  write(files, first)
  const answer = (_: unknown, response: { end(text: string): void }): void => response.end('served')
  const server = httpServer(serverBounds, () => 'id', answer, readCertificate(files, Date.now()))
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo

  const body = await new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', ca: first.cert, agent: false }, async (response) =>
      resolve(Buffer.concat(await response.toArray()).toString()),
    )
    asked.on('error', reject)
    asked.end()
  })
  assert.equal(body, 'served')
  assert.deepEqual(await peerOf(port), { name: 'first', protocol: 'TLSv1.3' })
  assert.equal((await peerOf(port, { maxVersion: 'TLSv1.2' })).protocol, 'TLSv1.2')
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }
  await assert.rejects(peerOf(port, old), /alert protocol version/)

  write(files, testCertificate('second'))
  renewCertificate(server, readCertificate(files, Date.now()))
  assert.equal((await peerOf(port)).name, 'second')
  await assert.rejects(peerOf(port, old), /alert protocol version/, 'a renewal is as strict')
})

test('a renewal is noticed by path, whether the file is written or replaced', async (t) => {
  const files = filesOf(t)
  write(files, testCertificate('first'))
  const changed = Promise.withResolvers<void>()
  const watch = watchCertificate(files, () => changed.resolve(), 20)
  t.after(() => watch.close())
  write(files, testCertificate('second'))
  const keepAlive = setInterval(() => undefined, 1000) // the watch itself keeps no process alive
  await changed.promise
  clearInterval(keepAlive)
})
