import type { ModelId } from '../../units/ids.ts'
import type { JsonObject } from '../../units/json.ts'
import type { Grant } from './snapshot.ts'

/** Whom a rail binds: everybody, a tenant, one of its applications, or who asks for a model. */
export const railScopes = ['factory', 'tenant', 'application', 'model'] as const

/** What may not stand in a text. All of it is data: nothing of a rail is run as code. */
export interface Denied {
  /** Whatever their case; characters that only look another way (NFKC) are the same. */
  readonly words?: readonly string[]
  /** In the syntax of RE2, so that matching takes linear time. */
  readonly patterns?: readonly string[]
}

export interface InputRail extends Denied {
  /** Of all texts of a request together. */
  readonly most_bytes?: number
}

export interface OutputRail extends Denied {
  readonly most_bytes?: number
  /** A JSON Schema that each choice of an answer must satisfy. */
  readonly schema?: JsonObject
}

/** A declared check of prompts, answers or both. */
export interface Rail {
  readonly name: string
  readonly scope: (typeof railScopes)[number]
  /** Empty for everybody; of an application `TENANT/APPLICATION`, each encoded for a URL. */
  readonly of: string
  readonly input?: InputRail
  readonly output?: OutputRail
}

/** The rails that bind a request. Those of a model bind whoever may be answered by it, by whatever name it was asked for. */
export const railsFor = (
  rails: readonly Rail[],
  { tenant, application }: Pick<Grant, 'tenant' | 'application'>,
  models: readonly ModelId[],
): Rail[] =>
  rails.filter(({ scope, of }) => {
    if (scope === 'factory') return true
    if (scope === 'tenant') return of === tenant
    if (scope === 'model') return models.some((model) => model === of)
    return of === `${encodeURIComponent(tenant)}/${encodeURIComponent(application)}`
  })
