/** The seam between git's failures, which are values, and the loop, which records what an effect throws. */

/** The value, or throws with the reason of the failure. */
export function succeed<T extends { readonly kind: string }>(
  value: T | { readonly kind: 'failed'; readonly error: string },
): Exclude<T, { readonly kind: 'failed' }> {
  if (isFailed(value)) throw new Error(value.error);
  return value as Exclude<T, { readonly kind: 'failed' }>;
}

function isFailed(value: {
  readonly kind: string;
}): value is { readonly kind: 'failed'; readonly error: string } {
  return value.kind === 'failed';
}
