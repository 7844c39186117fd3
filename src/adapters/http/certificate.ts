import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'

/** Where the certificate chain and its key lie, both PEM. */
export interface CertificateFiles {
  readonly cert: string
  readonly key: string
}

export interface Certificate {
  readonly cert: Buffer
  readonly key: Buffer
  /** Whom it names, for people. */
  readonly subject: string
  readonly until_ms: number
}

export type CertificateFault = 'unreadable' | 'no_certificate' | 'no_key' | 'mismatch' | 'expired'

/** The files do not make a server's identity. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'
  readonly fault: CertificateFault
  readonly file: string

  constructor(fault: CertificateFault, file: string, detail: string, cause?: unknown) {
    super(`${file} ${detail}`, { cause })
    this.fault = fault
    this.file = file
  }
}

/** Both files, read and compared: what cannot work is told before anybody connects. */
export function readCertificate(files: CertificateFiles, now_ms: number): Certificate {
  const cert = bytesOf(files.cert)
  const key = bytesOf(files.key)
  const first = parsed('no_certificate', files.cert, 'holds no PEM certificate', () => new X509Certificate(cert))
  const secret = parsed('no_key', files.key, 'holds no PEM key without a passphrase', () => createPrivateKey(key))
  if (!first.checkPrivateKey(secret))
    throw new CertificateError('mismatch', files.key, `is not the key of the first certificate in ${files.cert}`)
  const until_ms = Date.parse(first.validTo)
  if (until_ms <= now_ms) throw new CertificateError('expired', files.cert, `expired on ${first.validTo}`)
  return { cert, key, subject: first.subjectAltName ?? first.subject, until_ms }
}

function bytesOf(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new CertificateError('unreadable', file, `cannot be read (${(cause as { code?: string }).code})`, cause)
  }
}

function parsed<T>(fault: CertificateFault, file: string, detail: string, parse: () => T): T {
  try {
    return parse()
  } catch (cause) {
    throw new CertificateError(fault, file, detail, cause)
  }
}

/** A renewal is taken up this soon. Asked of the file system by path, since renewals replace files and links. */
const lookMs = 5_000

/** Tells that one of the files is another than when this was called. A renewal that has written one of the two is told twice. */
export function watchCertificate(files: CertificateFiles, changed: () => void, everyMs = lookMs): { close(): void } {
  const look = (): string => `${stampOf(files.cert)} ${stampOf(files.key)}`
  // Taken at once: fs.watchFile would take it a moment later, and call a file that was renewed in between unchanged.
  let seen = look()
  const timer = setInterval(() => {
    const now = look()
    if (now === seen) return
    seen = now
    changed()
  }, everyMs).unref()
  return { close: () => clearInterval(timer) }
}

/** A file by what a renewal changes; the same text for every file that cannot be looked at. */
function stampOf(path: string): string {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true })
    return [dev, ino, size, mtimeNs, ctimeNs].join(':')
  } catch {
    return ''
  }
}
