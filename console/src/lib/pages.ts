/** The pages of the console, in the order of the menu. */
export interface Entry {
  readonly page: string
  readonly name: string
  /** The second letter after `g`. */
  readonly key: string
  readonly about: string
}

export const pages: readonly Entry[] = [{ page: '', name: 'Floor', key: 'f', about: 'the factory as one live picture' }]
