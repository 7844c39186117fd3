// Accounts by the beginning of their path: `cost/usage/acme` is all that acme uses, `cost/usage/*/*/starter` all of a model.
import type { Account } from './account.ts'

/** A part of a path that any name fits; no name has this letter. */
const any = '*'

/** Whether an account lies under a pattern, part by part. */
export function under(pattern: string, account: Account): boolean {
  const parts = account.split('/')
  return pattern.split('/').every((part, at) => part === parts[at] || (part === any && parts[at] !== undefined))
}

/** The part of a path that a pattern names there; undefined: it names none. */
export function partAt(pattern: string | undefined, at: number): string | undefined {
  const part = pattern?.split('/')[at]
  return part === undefined || part === any ? undefined : decodeURIComponent(part)
}

/** Which way a transfer goes between two patterns; undefined: it is not between them. One that flows back is a correction. */
export function way(
  { out, into }: { readonly out?: string | undefined; readonly into?: string | undefined },
  { from, to }: { readonly from: Account; readonly to: Account },
): 'forth' | 'back' | undefined {
  const fits = (pattern: string | undefined, account: Account): boolean =>
    pattern === undefined || under(pattern, account)
  if (fits(out, from) && fits(into, to)) return 'forth'
  return fits(out, to) && fits(into, from) ? 'back' : undefined
}
