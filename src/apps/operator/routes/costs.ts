import Type from 'typebox'
import { splitsRolledDay } from '../../../adapters/sqlite/answers.ts'
import { costs } from '../../../adapters/sqlite/costs/answer.ts'
import { declarations, declare } from '../../../adapters/sqlite/costs/declarations.ts'
import { chargedMonths } from '../../../adapters/sqlite/costs/demand.ts'
import { borneJobs } from '../../../adapters/sqlite/costs/making.ts'
import { costOfRequest } from '../../../adapters/sqlite/costs/of-request.ts'
import { settledRow } from '../../../adapters/sqlite/settled-row.ts'
import type { CostDeclaration } from '../../../books/cost.ts'
import { inForce, makingKinds } from '../../../books/cost.ts'
import { costDimensions } from '../../../books/cost-place.ts'
import { demandAnswer } from '../../../books/demand-answer.ts'
import { makingAnswer } from '../../../books/making-answer.ts'
import { parted } from '../../../books/tally.ts'
import { askedMs, closedRange, rangeInput } from '../closed-range.ts'
import { costInput, costKinds, declarationOf, stateInput, termsText } from '../cost-terms.ts'
import { ControlError } from '../errors.ts'
import { type Route, route } from '../router.ts'
import { checkKnown, stateCosts } from '../stated-costs.ts'
import { isoOrNull } from '../when.ts'

export const costRoutes: readonly Route[] = [
  route({
    method: 'GET',
    path: '/api/costs',
    role: 'viewer',
    about: 'What capacity, people, energy and hosted models cost: declarations in force',
    run: ({ store, now }) => {
      const all = declarations(store)
      const at_ms = now()
      const current = all.filter((one) => inForce(all, one.kind, one.name, at_ms) === one && one.terms.per !== 'end')
      return { costs: current.map((one) => display(one, true)) }
    },
  }),
  route({
    method: 'GET',
    path: '/api/costs/{kind}',
    role: 'viewer',
    about: 'All declarations of a kind of cost, oldest first',
    input: { kind: Type.Enum([...costKinds], { description: costKinds.join(', ') }) },
    run: ({ store, now }, { kind }) => {
      const all = declarations(store)
      const of = all.filter((one) => one.kind === kind)
      return { costs: of.map((one) => display(one, inForce(all, one.kind, one.name, now()) === one)) }
    },
  }),
  route({
    method: 'POST',
    path: '/api/costs',
    role: 'admin',
    about:
      'Declare a cost: a new version, from now or another moment; from an earlier one it corrects hours that are posted',
    input: costInput,
    run: ({ store, now }, asked) => {
      const wanted = declarationOf(asked, now())
      checkKnown(store, asked, wanted.terms)
      const made = declare(store, wanted, now())
      return display(made, inForce(declarations(store), made.kind, made.name, now())?.version === made.version)
    },
  }),
  route({
    method: 'PUT',
    path: '/api/costs',
    role: 'admin',
    about:
      'State the costs of a file: what differs is declared from now on, what the file of this home does not state any more ends, and the same file again changes nothing',
    input: {
      costs: Type.Array(Type.Object(stateInput, { additionalProperties: false }), { maxItems: 1000 }),
      dry_run: Type.Optional(Type.Boolean({ description: 'only says what it would do' })),
    },
    run: (factory, { costs: stated, dry_run }) => stateCosts(factory, stated, dry_run ?? false),
  }),
  route({
    method: 'GET',
    path: '/api/books/cost',
    role: 'viewer',
    about:
      'What whole hours cost: usage by class of token, waste, idle and overhead, which add up to the total; by tenant, model, chip, site and more, with both margins',
    input: {
      ...rangeInput,
      by: Type.Optional(Type.Enum([...costDimensions], { description: costDimensions.join(', ') })),
    },
    run: (factory, { from, to, by }) => {
      const { store, contractedWatts } = factory
      const { first, end } = closedRange(factory, { from, to })
      for (const [param, at_ms] of Object.entries(askedMs(factory, { from, to })))
        if (splitsRolledDay(store, at_ms))
          throw new ControlError('invalid_value', `of the day of \`${param}\` only sums are kept`, { param })
      return costs(store, first, end, by ?? 'model', contractedWatts)
    },
  }),
  route({
    method: 'GET',
    path: '/api/books/making',
    role: 'viewer',
    about: 'What training, evaluation and data of models cost, and how much of it is borne by what they served',
    run: ({ store }) => ({ jobs: borneJobs(store, declarations(store)).map(makingAnswer) }),
  }),
  route({
    method: 'GET',
    path: '/api/books/demand',
    role: 'viewer',
    about: 'Demand charges by billing month: the peak so far, what it costs, and how much of that hours bear by now',
    run: ({ store }) => ({ months: chargedMonths(store, declarations(store)).map(demandAnswer) }),
  }),
  route({
    method: 'GET',
    path: '/api/receipts/{id}/cost',
    role: 'viewer',
    about: 'What one request cost the factory, beside what it was charged: final or provisional',
    input: { id: Type.String() },
    run: ({ store }, { id }) => {
      const found = settledRow(store, id)
      if (!found) throw new ControlError('not_found', `no settled request ${id.slice(0, 80)}`, { param: 'id' })
      return costOfRequest(store, found)
    },
  }),
]

const display = (one: CostDeclaration, current: boolean) => {
  const { version, kind, name, from_ms, declared_ms, note, terms } = one
  const isJob = (makingKinds as readonly string[]).includes(kind)
  const [first = name, second] = kind === 'list' || isJob ? parted(name) : [name]
  return {
    version,
    kind,
    name: first,
    model: kind === 'list' ? (second ?? null) : null,
    job: isJob ? (second ?? null) : null,
    in_force: current,
    from: isoOrNull(from_ms),
    declared: isoOrNull(declared_ms),
    terms: termsText({ kind, terms }),
    note,
  }
}
