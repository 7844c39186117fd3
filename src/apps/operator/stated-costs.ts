/** Costs that a file states, put into force: all of them that can be, and why not the others. */
import { applyFiled } from '../../adapters/sqlite/costs/filed.ts'
import { listEngines } from '../../adapters/sqlite/registry/engines.ts'
import { facilityMeters } from '../../adapters/sqlite/registry/places.ts'
import type { Store } from '../../adapters/sqlite/store.ts'
import type { CostDeclaration } from '../../books/cost.ts'
import type { Declared, Named, Said } from '../../books/filed-cost.ts'
import { type CostAsked, declarationOf, termsText } from './cost-terms.ts'
import { ControlError } from './errors.ts'
import type { Factory } from './factory.ts'
import { didYouMean } from './nearest.ts'
import { isoOrNull } from './when.ts'

type Stated = Omit<CostAsked, 'from'> & { readonly at?: string }

/** `dry`: says what it would do. */
export function stateCosts({ store, now }: Pick<Factory, 'store' | 'now'>, stated: readonly Stated[], dry: boolean) {
  const said: Said[] = []
  const kept: Named[] = []
  const waiting: { readonly at: string | null; readonly message: string; readonly next: string }[] = []
  for (const { at, ...asked } of stated) {
    const { kind, name, terms, note } = declarationOf(asked, now())
    try {
      checkKnown(store, asked, terms)
      said.push({ kind, name, terms, note })
    } catch (cause) {
      if (!(cause instanceof ControlError && cause.code === 'not_found')) throw cause
      kept.push({ kind, name })
      waiting.push({ at: at ?? null, message: cause.message, next: cause.next })
    }
  }
  const { declared, ended, unchanged } = applyFiled(store, said, kept, { now_ms: now(), dry })
  return { dry_run: dry, declared: declared.map(display), ended: ended.map(display), unchanged, waiting }
}

const display = ({ kind, name, from_ms, terms, note }: Declared) => ({
  kind,
  name,
  from: isoOrNull(from_ms),
  terms: termsText({ kind, terms }),
  note,
})

/** What a cost is of must be there: a slip of the keyboard would never be borne. */
export function checkKnown(
  store: Store,
  { kind, name, measured_by }: Omit<CostAsked, 'from'>,
  terms: CostDeclaration['terms'],
): void {
  if ((kind === 'capacity' || kind === 'list') && name !== undefined) servingEngine(store, name)
  if (terms.per === 'job') servedModel(store, name ?? '')
  checkMeasuredBy(store, measured_by)
}

function servingEngine(store: Store, engine: string): void {
  const engines = listEngines(store).map(({ name }) => name)
  if (engines.includes(engine)) return
  throw new ControlError('not_found', `no engine ${engine}${didYouMean(engine, engines)}`, {
    param: 'name',
    next: 'wattmill engines list',
  })
}

function servedModel(store: Store, model: string): void {
  const models = [...new Set(listEngines(store).flatMap((engine) => Object.keys(engine.models)))]
  if (models.includes(model)) return
  throw new ControlError('not_found', `no engine serves ${model}${didYouMean(model, models)}`, {
    param: 'name',
    next: 'wattmill models list   (what a model cost is declared when it is served)',
  })
}

function checkMeasuredBy(store: Store, meter: string | undefined): void {
  const known = facilityMeters(store)
  if (meter === undefined || known.has(meter)) return
  throw new ControlError('not_found', `no facility has a meter ${meter}${didYouMean(meter, known)}`, {
    param: 'measured_by',
    next: 'wattmill meters place METER --level facility --over METER,…',
  })
}
