import type { SiteId } from '../../units/ids.ts'
import { id } from '../../units/ids.ts'

/** Where an engine stands of which nobody said. */
export const mainSite = id<SiteId>('main')
