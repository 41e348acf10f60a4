/** How it is said that nothing starts for want of disk space. */
import { bytesText } from '../core/lack-text.ts';

/** One sentence without a full stop. */
export function lowDiskText({
  free,
  reserve,
}: {
  readonly free: number;
  readonly reserve: number;
}): string {
  return `disk: ${bytesText(free)} free, below the reserve of ${bytesText(reserve)}; nothing starts until there is more`;
}
