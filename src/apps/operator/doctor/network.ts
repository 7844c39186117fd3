import { isLoopback } from '../../../adapters/http/addresses.ts'
import { CertificateError, type CertificateFiles, readCertificate } from '../../../adapters/http/certificate.ts'
import { bad, type Finding, good, warning } from './finding.ts'

export interface Listening {
  readonly host: string
  readonly certificate: CertificateFiles | undefined
}

/** Renewals come 30 days before the end; later than this one has failed. */
const soon_ms = 14 * 86_400_000

/** Who can reach the port, and what they are shown. */
export function networkFindings({ host, certificate }: Listening, now_ms: number): Finding[] {
  const who = isLoopback(host) ? 'this machine only' : `others, at ${host}`
  const open = !isLoopback(host) && !certificate
  return [
    open
      ? warning('network', `${who}, without TLS`, 'Give --tls-cert and --tls-key, or put a TLS proxy in front.')
      : good('network', `${who}${certificate ? ', by TLS' : ''}`),
    ...(certificate ? [certificateFinding(certificate, now_ms)] : []),
  ]
}

function certificateFinding(files: CertificateFiles, now_ms: number): Finding {
  try {
    const { subject, until_ms } = readCertificate(files, now_ms)
    const found = `${subject}, until ${new Date(until_ms).toISOString().slice(0, 10)}`
    return until_ms - now_ms > soon_ms
      ? good('certificate', found)
      : warning('certificate', found, 'Renew it: the new files are taken up by themselves.')
  } catch (cause) {
    if (!(cause instanceof CertificateError)) throw cause
    return bad('certificate', cause.message, 'Put a certificate and its key there; they are taken up by themselves.')
  }
}
