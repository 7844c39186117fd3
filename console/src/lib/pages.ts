/** The pages of the console, in the order of the menu. */
export interface Entry {
  readonly page: string
  readonly name: string
  /** The second letter after `g`. */
  readonly key: string
  readonly about: string
}

export const pages: readonly Entry[] = [
  { page: '', name: 'Floor', key: 'f', about: 'the factory as one live picture' },
  { page: 'requests', name: 'Requests', key: 'r', about: 'what is under way, and what was settled' },
  { page: 'try', name: 'Try it', key: 't', about: 'send a message, see it stream' },
  { page: 'apps', name: 'Applications', key: 'a', about: 'who builds on the factory, and what they use' },
  { page: 'keys', name: 'Keys', key: 'k', about: 'create, rotate, revoke' },
  { page: 'engines', name: 'Engines', key: 'e', about: 'add, probe, drain, remove' },
  { page: 'power', name: 'Power', key: 'w', about: 'limits of power, what is drawn under them, and what is done' },
  { page: 'models', name: 'Models', key: 'm', about: 'what clients can ask for' },
  { page: 'prices', name: 'Prices', key: 'p', about: 'set, history' },
  { page: 'credits', name: 'Credits', key: 'd', about: 'what tenants paid in advance or were given' },
  {
    page: 'profit',
    name: 'Profit',
    key: 'l',
    about: 'what was earned, what it cost and why, and each transfer behind it',
  },
  { page: 'books', name: 'Books', key: 'b', about: 'whether everything adds up' },
  { page: 'access', name: 'Access', key: 'c', about: 'who may run the factory, guard rails, and who changed what' },
  { page: 'health', name: 'Health', key: 'h', about: 'what is well and what is not, with its fix' },
]
