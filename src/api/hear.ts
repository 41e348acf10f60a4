/** Listens to what a loop says beside its events, one JSON object a line, for as long as both sides live. */
import { request } from 'node:http';
import { createInterface } from 'node:readline';
import type { Listener } from './client.ts';
import { contractVersion, noticeSchema } from './contract.ts';
import type { LoopNotice } from '../daemon/notices.ts';

/**
 * Resolves when the connection has ended, or there was none. `opened` is called once it is clear whether anything will
 * be heard; a loop that says something newer is not understood, and that line is passed over.
 */
export async function hear(
  to: Pick<Listener, 'socket'>,
  {
    signal,
    opened,
    heard,
  }: {
    readonly signal: AbortSignal;
    readonly opened: () => void;
    readonly heard: (notice: LoopNotice) => void;
  },
): Promise<void> {
  const body = JSON.stringify({ v: contractVersion });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
  await new Promise<void>((resolve) => {
    const call = request(
      { socketPath: to.socket, path: '/notices', method: 'POST', agent: false, headers, signal },
      (response) => {
        opened();
        if (response.statusCode !== 200) response.destroy();
        response.on('error', () => {});
        response.on('close', resolve);
        const lines = createInterface({ input: response });
        lines.on('error', () => {});
        lines.on('line', (line) => {
          const notice = noticeSchema.safeParse(parse(line));
          if (notice.success) heard(notice.data);
        });
      },
    );
    call.on('error', () => resolve());
    call.end(body);
  });
  opened();
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
