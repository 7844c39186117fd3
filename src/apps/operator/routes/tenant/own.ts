import type Type from 'typebox'
import type { KeyRecord } from '../../../../adapters/sqlite/registry/keys.ts'
import { id, type TenantId } from '../../../../units/ids.ts'
import { ControlError } from '../../errors.ts'
import type { Factory } from '../../factory.ts'
import { type Call, type Route, route } from '../../router.ts'

/** A tenant, and the key that it came with. */
export interface Own {
  readonly tenant: TenantId
  readonly key: KeyRecord
}

interface Wanted<P extends Type.TProperties> {
  readonly method: Route['method']
  /** Below /api/tenant. */
  readonly path: string
  readonly about: string
  readonly input?: P
  readonly run: (factory: Factory, own: Own, input: Type.Static<Type.TObject<P>>, call: Call) => unknown
}

/** A route that shows a tenant what is its own. Whose that is comes from its key: no field of the input can name another. */
export const tenantRoute = <P extends Type.TProperties>({ path, run, ...wanted }: Wanted<P>): Route =>
  route<P>({
    ...wanted,
    path: `/api/tenant${path}`,
    role: 'tenant',
    run: (factory, input, call) => {
      const own = ownOf(call)
      const began = performance.now()
      try {
        return run(factory, own, input, call)
      } finally {
        // Of one that is answered later only what it did at once: while it waits, others are served.
        factory.live?.admission.took(own.tenant, performance.now() - began)
      }
    },
  })

/** The command line of a stopped factory is nobody's tenant. */
function ownOf({ caller }: Call): Own {
  if (caller?.role !== 'tenant') throw new ControlError('forbidden', 'only a tenant has this, by a key of its own')
  return { tenant: id(caller.tenant), key: caller.key }
}

/** What is another tenant's is answered as what is not there. */
export const notOwn = (what: string, name: string): ControlError =>
  new ControlError('not_found', `no ${what} ${name.slice(0, 80)}`, { param: 'id', next: `Look it up in the list.` })
