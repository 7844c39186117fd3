import Type from 'typebox'
import { addressOf, isSecure, sessionCookie } from '../auth.ts'
import { ControlError } from '../errors.ts'
import type { Factory, Live } from '../factory.ts'
import { Answer, type Route, route } from '../router.ts'

/** The console, and the session it works under. */
export const sessionRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/',
    role: 'anyone',
    about: 'The console',
    run: (factory, _, { headers }) => running(factory).console.index(headers?.['accept-encoding']),
  }),
  route({
    method: 'GET',
    path: '/assets/{file}',
    role: 'anyone',
    about: 'Script and style of the console',
    input: { file: Type.String() },
    run: (factory, { file }, { headers }) => running(factory).console.asset(file, headers?.['accept-encoding']),
  }),
  route({
    method: 'POST',
    path: '/api/login',
    role: 'anyone',
    about: 'The admin key, one with a role, or a key of a tenant, for a session cookie',
    input: { key: Type.String({ maxLength: 200 }) },
    run: (factory, { key }, call) => {
      const token = running(factory).admission.login(key.trim(), addressOf(call))
      const cookie = sessionCookie(token, isSecure(call))
      return new Answer({ status: 200, headers: { 'set-cookie': cookie }, body: { json: { ok: true } } })
    },
  }),
  route({
    method: 'POST',
    path: '/api/logout',
    role: 'viewer',
    of: 'everybody',
    tenants: true,
    about: 'End the session',
    run: (factory, _, call) => {
      factory.live?.admission.logout(call)
      return new Answer({
        status: 200,
        headers: { 'set-cookie': sessionCookie('', isSecure(call)) },
        body: { json: { ok: true } },
      })
    },
  }),
]

function running({ live }: Factory): Live {
  if (!live) throw new ControlError('factory_unreachable', 'the operator does not run')
  return live
}
