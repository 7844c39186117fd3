/** A credit as the operator tells it: to who runs the factory, and to the tenant itself. */
export interface Credit {
  readonly id: string
  readonly kind: 'prepaid' | 'promo'
  readonly state: 'later' | 'in use' | 'used up' | 'ended'
  readonly usd: string
  /** Provisional by the hour under way. */
  readonly left_usd: string
  readonly from: string
  readonly until: string | null
  readonly returned: boolean
}

/** Of each tenant that ever had one. */
export interface CreditsOf {
  readonly tenant: string
  readonly only_credit: boolean
  readonly credits: readonly (Credit & { readonly note: string })[]
}

export interface OwnCredits {
  readonly only_credit: boolean
  /** Of credits that pay now. */
  readonly left_usd: string
  readonly credits: readonly Credit[]
}

const lasts = ({ state }: Credit): boolean => state === 'in use' || state === 'later'

/** Those that pay or will, then the others; each part as it was granted. */
export const lastingFirst = <C extends Credit>(credits: readonly C[]): C[] =>
  [...credits].sort((a, b) => Number(lasts(b)) - Number(lasts(a)))

/** The next end of what pays or will, with what would be lost then; undefined: nothing ends. */
export const nextEnd = (credits: readonly Credit[]): Credit | undefined =>
  credits
    .filter((credit) => credit.until !== null && lasts(credit))
    .sort((a, b) => (a.until ?? '').localeCompare(b.until ?? ''))[0]

/** UTC, in whose hours credits begin and end. */
export const moment = (iso: string): string => iso.slice(0, 16).replace('T', ' ')
