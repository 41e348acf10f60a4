/**
 * Loaded before a program (`--import`): how long its loop stands still, written each second to `$CZAR_BENCH_DELAY.PID` as
 * milliseconds of the 99th percentile since the last SIGUSR2.
 */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

const file = process.env['CZAR_BENCH_DELAY'];
const resolution = 10;

if (file !== undefined) {
  const delay = monitorEventLoopDelay({ resolution });
  delay.enable();
  process.on('SIGUSR2', () => delay.reset());
  setInterval(() => {
    const p99 = Math.max(0, delay.percentile(99) / 1e6 - resolution);
    writeFileSync(`${file}.${process.pid}`, String(p99));
  }, 1_000).unref();
}
