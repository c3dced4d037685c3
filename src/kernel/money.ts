// Money is an integer of one unit everywhere: micro-cents (1 US cent = 1,000,000).

export type MicroCents = number & { readonly __unit: 'micro-cents' };

const MICRO_PER_CENT = 1_000_000;

/** A whole, non-negative number of micro-cents; throws RangeError on anything else. */
export function toMicroCents(value: number): MicroCents {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`not a whole amount of micro-cents: ${value}`);
  }
  return value as MicroCents;
}

export function centsToMicroCents(cents: number): MicroCents {
  return toMicroCents(Math.round(cents * MICRO_PER_CENT));
}

/** US dollars as the JSON number of `usage.cost`; exact for whole cents. */
export function microCentsToUsd(amount: MicroCents): number {
  return amount / (MICRO_PER_CENT * 100);
}

/** US cents as a JSON number. */
export function microCentsToCents(amount: number): number {
  return amount / MICRO_PER_CENT;
}

/** `6 cents`, `0.5 cents`: for sentences. */
export function formatCents(amount: number): string {
  const cents = microCentsToCents(amount);
  return cents === 1 ? '1 cent' : `${cents} cents`;
}

/** Whole cents, rounded down. */
export function toWholeCents(amount: number): number {
  return Math.floor(amount / MICRO_PER_CENT);
}
