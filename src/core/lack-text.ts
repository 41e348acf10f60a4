/** In words, what of a resource a worker waits for. */
import type { ResourceLack } from './schedule/resources.ts';

/** The end of a sentence that begins with the worker. */
export function lackText({ name, lack }: ResourceLack, now: number): string {
  const amount = (value: number): string => amountText(name, value);
  switch (lack.kind) {
    case 'amount':
      return `it waits for ${amount(lack.need)} of ${name}: ${amount(lack.held)} of ${amount(lack.capacity)} in use (czar resources)`;
    case 'mode':
      return `it waits for ${name}: ${lack.holder.run}/${lack.holder.worker} has it (${modes[lack.mode]})`;
    case 'rate': {
      const seconds = Math.max(1, Math.ceil((lack.until - now) / 1000));
      return `it waits for ${name}: what there is for a minute is used up for ${seconds} s more`;
    }
    case 'reserved':
      return `it waits for ${name}: ${lack.run}/${lack.worker} has waited long and is to have it first`;
    case 'space':
      return `it waits for disk space: ${bytesText(lack.free)} are free, and it starts at ${bytesText(lack.need)} (disk_reserve)`;
    case 'unknown':
      return `it waits for ${name}: the machine is being looked at`;
  }
}

const modes = {
  share: 'shared',
  read: 'reading',
  write: 'writing',
  exclusive: 'exclusive',
} as const;

/** An amount of a resource as a person writes it. */
export function amountText(name: string, amount: number): string {
  return name === 'memory' || name === 'disk' ? bytesText(amount) : String(micro(amount));
}

/** Bytes in the largest unit that leaves something before the point. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let [value, unit] = [bytes, 0];
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : Math.floor(value * 10) / 10} ${units[unit]}`;
}

function micro(amount: number): number {
  return Math.round(amount * 1e6) / 1e6;
}
