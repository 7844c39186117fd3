/** What the synthetic upstream serves. */
export const mockModel = 'mock'
