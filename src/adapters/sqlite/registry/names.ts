import { RegistryError } from './change.ts'

/** Long enough for `meta-llama/Llama-3.1-8B-Instruct:q4`, short enough for a table. */
const nameForm = /^[A-Za-z0-9._:/-]{1,100}$/

/** A name of a tenant, application, engine or model, or an error that says what is wrong with it. */
export function checkName(what: string, param: string, name: string): string {
  const wrong = whyNot(name)
  if (wrong)
    throw new RegistryError('invalid', `${what} name ${JSON.stringify(name.slice(0, 120))} ${wrong}`, { param })
  return name
}

function whyNot(name: string): string | undefined {
  if (name === '') return 'is empty'
  if (name.length > 100) return `is ${name.length} characters long; 100 is the most`
  const odd = [...name].find((character) => !/[A-Za-z0-9._:/-]/.test(character))
  if (odd) return `has ${JSON.stringify(odd)}; letters, digits and . _ : / - are allowed`
  // In a URL a browser takes these away.
  if (/^\.{1,2}$/.test(name)) return 'is nothing but dots'
  return undefined
}

export const isName = (name: string): boolean => nameForm.test(name) && whyNot(name) === undefined
