/** `acknowledging-writer.ts LOG`: appends for ever, groups of one to twenty, and tells each last number after it is durable. */
import { writeSync } from 'node:fs';
import { WorkerLog } from './worker-log.ts';

const log = new WorkerLog(process.argv[2] ?? '');
for (let count = 1; ; count = (count % 20) + 1) writeSync(1, `${log.append(count)}\n`);
