import { routes } from '../gateway/routes.ts'
import { routes as operatorRoutes } from '../operator/routes/all.ts'

const row = (...cells: readonly string[]): string => `| ${cells.join(' | ')} |`
const code = (text: string): string => `\`${text}\``

/** docs/api.md: every route on the one port, from the tables that serve it. */
export function apiPage(): string {
  // /internal is between gateways and operator, and reachable by nobody else.
  const control = operatorRoutes.filter(({ path }) => !path.startsWith('/internal'))
  return [
    '# HTTP routes',
    '',
    'Made by `npm run docs` from the tables in the source; do not edit by hand. Errors: [errors.md](errors.md).',
    '',
    '## Answered by every gateway',
    '',
    'The key of an application goes in `Authorization: Bearer …`, `x-api-key` or `api-key`. Fields that Wattmill does not know are',
    'passed on to the engine. Every answer carries its `x-request-id`, under which `GET /api/receipts/{id}` knows it.',
    '',
    row('method', 'path', 'what it does'),
    row('---', '---', '---'),
    ...routes.map(({ methods, path, about }) => row(code(methods[0] ?? ''), code(path), about)),
    '',
    '## Answered by the operator',
    '',
    'The admin key goes in `Authorization: Bearer …`; it is in the file `admin.key` of the home. The command line uses the same',
    'routes. `wattmill admins create` makes keys with a role, and each route says the least role that may call it: a *viewer*',
    'reads; an *operator* also changes what runs and who may ask; an *admin* also changes what is charged, where prompts go and',
    'who governs. A key may be for one tenant: then it may call only what says so, and sees of it what is that tenant’s.',
    'Routes of the role *tenant* are for a tenant itself: the bearer is one of its own keys, they show what is its own, and no key of',
    'the control API may call them.',
    '',
    row('method', 'path', 'role', 'key of one tenant', 'what it does'),
    row('---', '---', '---', '---', '---'),
    ...control.map(({ method, path, role, tenants, of, about }) =>
      row(
        code(method),
        code(path),
        tenants ? `${role}, tenant` : role,
        of === undefined && role !== 'anyone' ? '' : 'yes',
        about,
      ),
    ),
    '',
  ].join('\n')
}
