/** As the system has it, unless somebody chose. The choice is no secret, so it may lie in the browser's storage. */
export type Theme = 'system' | 'light' | 'dark'
const themes: readonly Theme[] = ['system', 'light', 'dark']
const name = 'wattmill.theme'

export const theme = $state({ chosen: stored() })

function stored(): Theme {
  const value = localStorage.getItem(name)
  return themes.find((each) => each === value) ?? 'system'
}

export function applyTheme(): void {
  if (theme.chosen === 'system') delete document.documentElement.dataset.theme
  else document.documentElement.dataset.theme = theme.chosen
}

export function nextTheme(): void {
  theme.chosen = themes[(themes.indexOf(theme.chosen) + 1) % themes.length] ?? 'system'
  localStorage.setItem(name, theme.chosen)
  applyTheme()
}
