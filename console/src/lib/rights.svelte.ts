/** Who is logged in, and the routes that the operator says this one may call: the console keeps no table of its own. */
export interface Rights {
  readonly name: string
  /** `tenant`: the view of a tenant on itself; empty: nobody has said yet. */
  readonly role: string
  readonly tenant: string | null
  readonly may: readonly string[]
}

/** Until it is known who asks, nothing may be changed. */
export const nobody: Rights = { name: '', role: '', tenant: null, may: [] }

export const rights = $state({ ...nobody })

/** Such as `POST /api/keys`. */
export const may = (deed: string): boolean => rights.may.includes(deed)
