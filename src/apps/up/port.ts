import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { ControlError } from '../operator/errors.ts'

/**
 * The port that the gateways will share: the one asked for, or for 0 a free one. It is taken and let go again here, before
 * anything is started, so that a port in use is told at once; and gateways that restart come back to the same number.
 */
export async function freePort(host: string, port: number): Promise<number> {
  const server = createServer()
  try {
    server.listen({ host, port, exclusive: true })
    await once(server, 'listening')
    return (server.address() as AddressInfo).port
  } catch (cause) {
    throw explained(cause, host, port)
  } finally {
    if (server.listening) {
      server.close()
      await once(server, 'close')
    }
  }
}

function explained(cause: unknown, host: string, port: number): unknown {
  switch ((cause as { code?: string }).code) {
    case 'EADDRINUSE':
      return new ControlError('port_in_use', `port ${port} of ${host} is in use`, { param: 'port', cause })
    case 'EACCES':
      return new ControlError('no_permission', `port ${port} may not be opened by this user`, {
        param: 'port',
        next: 'wattmill up --port 4141',
        cause,
      })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return new ControlError('invalid_value', `this machine has no address ${host}`, {
        param: 'host',
        next: 'wattmill up --host 127.0.0.1',
        cause,
      })
    default:
      return cause
  }
}

/** How a client on this machine reaches it. */
export const urlOf = (host: string, port: number, secure: boolean): string => {
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `${secure ? 'https' : 'http'}://${shown.includes(':') ? `[${shown}]` : shown}:${port}`
}
