/** A certificate of the moment for tests, so that no key lies in the repository: EC P-256, self-signed (X.509, RFC 5280). */
import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

export interface TestPair {
  readonly cert: string
  readonly key: string
}

const der = (tag: number, ...parts: readonly Uint8Array[]): Buffer => {
  const body = Buffer.concat(parts)
  const size = body.length
  const length = size < 128 ? [size] : size < 256 ? [0x81, size] : [0x82, size >> 8, size & 0xff]
  return Buffer.concat([Buffer.from([tag, ...length]), body])
}
const sequence = (...parts: readonly Uint8Array[]): Buffer => der(0x30, ...parts)
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'))
const text = (tag: number, value: string): Buffer => der(tag, Buffer.from(value, 'latin1'))

const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
const commonName = (name: string): Buffer => sequence(der(0x31, sequence(oid('550403'), text(0x0c, name))))
const utcTime = (ms: number): Buffer => text(0x17, `${new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14)}Z`)
const loopbackNames = sequence(text(0x82, 'localhost'), der(0x87, Buffer.from([127, 0, 0, 1])))
const extensions = der(0xa3, sequence(sequence(oid('551d11'), der(0x04, loopbackNames))))

/** For localhost and 127.0.0.1, until `until_ms`. */
export function testCertificate(name = 'test', until_ms = Date.now() + 86_400_000): TestPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const serial = Buffer.concat([Buffer.from([1]), randomBytes(8)])
  const body = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, serial),
    ecdsaWithSha256,
    commonName(name),
    sequence(utcTime(Math.min(Date.now(), until_ms) - 3_600_000), utcTime(until_ms)),
    commonName(name),
    publicKey.export({ type: 'spki', format: 'der' }),
    extensions,
  )
  const signed = sequence(body, ecdsaWithSha256, der(0x03, Buffer.from([0]), sign('sha256', body, privateKey)))
  const lines = signed.toString('base64').replace(/.{64}/g, '$&\n')
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}
