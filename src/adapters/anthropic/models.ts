/** A model in Anthropic's shape; null is what a name alone does not say. */
export const modelInfo = (id: string, since: string) => ({
  id,
  type: 'model' as const,
  display_name: id,
  created_at: since,
  lifecycle: 'active' as const,
  capabilities: null,
  deprecated_at: null,
  line: null,
  max_input_tokens: null,
  max_tokens: null,
  retires_at: null,
})

/** All on one page. */
export const modelPage = <Model extends { readonly id: string }>(data: readonly Model[]) => ({
  data: [...data],
  has_more: false,
  first_id: data[0]?.id ?? null,
  last_id: data.at(-1)?.id ?? null,
})
