import type { Home } from '../files/home.ts'
import { keptSecret, newId } from './secret.ts'

/** What a home is called in a database that it shares with others: made once. */
export const nodeId = (home: Pick<Home, 'node'>): string => keptSecret(home.node, () => newId('node')).secret
