/** The time that profit and loss is of, in whole days of UTC: chosen by name, or from one date to another. */
export const periods = ['today', '7 days', 'this month', 'last month'] as const
export type Period = (typeof periods)[number]

export interface Dates {
  readonly from: string
  /** Not included; undefined: until now. */
  readonly to: string | undefined
}

const day_ms = 86_400_000
const date = (at_ms: number): string => new Date(at_ms).toISOString().slice(0, 10)

export function datesOf(query: Readonly<Record<string, string>>, now_ms: number): Dates {
  const { period = '', from = '', to = '' } = query
  if (from !== '') return { from, to: to === '' ? undefined : to }
  const now = new Date(now_ms)
  const month = (back: number): string => date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1))
  switch (period as Period | '') {
    case 'today':
      return { from: date(now_ms), to: undefined }
    case 'this month':
      return { from: month(0), to: undefined }
    case 'last month':
      return { from: month(1), to: month(0) }
    default:
      return { from: date(now_ms - 6 * day_ms), to: undefined }
  }
}

/** The name of what is chosen; undefined: dates are. */
export const periodOf = ({ period, from }: Readonly<Record<string, string>>): Period | undefined =>
  from ? undefined : (periods.find((each) => each === period) ?? '7 days')
