import { RegistryError } from '../../adapters/sqlite/registry/change.ts'
import { listTenants } from '../../adapters/sqlite/registry/tenants.ts'
import type { TenantId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'
import { ControlError } from './errors.ts'
import type { Factory } from './factory.ts'
import { didYouMean } from './nearest.ts'
import type { Caller } from './router.ts'

/**
 * How a route keeps a key of one tenant to that tenant. `field`: by its field `tenant`, which is filled in. `everybody`: it
 * tells nothing of any tenant. A function: by whose the thing is that the input names; undefined: there is none.
 */
export type OfTenant =
  | 'field'
  | 'everybody'
  | ((factory: Factory, input: Readonly<Record<string, unknown>>) => string | undefined)

/** The input, with the caller's tenant where none is named. */
export function withTenant(
  of: OfTenant | undefined,
  caller: Caller | undefined,
  given: Record<string, unknown>,
): Record<string, unknown> {
  if (caller?.tenant === undefined || of !== 'field') return given
  const { tenant = caller.tenant } = given
  if (tenant !== caller.tenant)
    throw new ControlError('forbidden', `this key is for tenant ${caller.tenant} alone`, { param: 'tenant' })
  return { ...given, tenant }
}

/** What is another tenant's is answered like what is not there: a key of one tenant does not learn which ids exist. */
export function checkOwner(
  of: OfTenant | undefined,
  caller: Caller | undefined,
  factory: Factory,
  input: Readonly<Record<string, unknown>>,
): void {
  if (caller?.tenant === undefined || typeof of !== 'function') return
  if (ownerOf(of, factory, input) !== caller.tenant)
    throw new ControlError('not_found', `tenant ${caller.tenant} has no such thing`, { param: 'id' })
}

function ownerOf(
  of: Extract<OfTenant, (...given: never) => unknown>,
  factory: Factory,
  input: Readonly<Record<string, unknown>>,
): string | undefined {
  try {
    return of(factory, input)
  } catch (cause) {
    if (cause instanceof RegistryError && cause.fault === 'not_found') return undefined
    throw cause
  }
}

/** A tenant that the factory has, by its name. */
export function knownTenant({ store }: Pick<Factory, 'store'>, tenant: string): TenantId {
  const tenants = listTenants(store)
  if (tenants.includes(tenant)) return id(tenant)
  throw new ControlError('not_found', `no tenant ${tenant.slice(0, 80)}${didYouMean(tenant, tenants)}`, {
    param: 'tenant',
    next: 'wattmill apps list',
  })
}
