import type { Receipt } from './receipt.ts'

/**
 * A receipt as its tenant sees it: what was asked, used, charged and drawn, and how that is known. Field by field: which engine did
 * it, by which meter, and under which snapshot is the factory's concern, and so is whatever a receipt may tell later on.
 */
export function tenantReceipt(receipt: Receipt) {
  const { id, application, key, model, at_ms } = receipt
  const asked = { id, application, key, model, at_ms }
  if (receipt.state === 'open') return { state: receipt.state, ...asked, reserved_tokens: receipt.reserved_tokens }
  const { state, closed_ms, queued_ms, ttft_ms, stream, outcome, site, price, cached, refund_usd, cost_usd, energy } =
    receipt
  const { energy_mj, grade, attribution, final, final_at_ms } = energy
  return {
    state,
    ...asked,
    closed_ms,
    queued_ms,
    ttft_ms,
    stream,
    outcome,
    site,
    price,
    cached: cached && {
      from: cached.from,
      usage: cached.usage,
      price: cached.price,
      charges_usd: cached.charges_usd,
    },
    attempts: receipt.attempts.map(({ number, usage, unbilled, waste, charges_usd }) => ({
      number,
      usage,
      unbilled,
      waste,
      charges_usd,
    })),
    refund_usd,
    cost_usd,
    energy: { energy_mj, grade, attribution: { grade: attribution.grade, how: attribution.how }, final, final_at_ms },
  }
}
