/** An agent's program as a stream of messages: what is no message is log, and goes where its errors go. */
import type { AnyMessage, Stream } from '@agentclientprotocol/sdk';
import { objectOn } from '../agents/json-lines.ts';
import { startSpokenChild, type SpokenChild } from '../process/spoken-child.ts';

/** Bytes of one message. */
const mostBytes = 32 * 1024 * 1024;
/** Lines that are no message are passed on so often, and so far. */
const mostNoise = 200;
const noiseLength = 400;

/** Starts the program. */
export function startAgent(options: {
  readonly argv: readonly string[];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Takes a line that is no message. */
  readonly noise: (line: string) => void;
}): { readonly child: SpokenChild; readonly stream: Stream } {
  const { noise, ...start } = options;
  let heard = 0;
  const log = (line: string): void => {
    heard += 1;
    if (heard <= mostNoise && line.trim() !== '') noise(line.slice(0, noiseLength));
  };
  let give: ReadableStreamDefaultController<AnyMessage> | null = null;
  const readable = new ReadableStream<AnyMessage>({
    start(controller) {
      give = controller;
    },
    cancel() {
      give = null;
    },
  });
  const child = startSpokenChild({
    ...start,
    maxLineBytes: mostBytes,
    onLine(line) {
      const message = objectOn(line);
      if (message === null || message['jsonrpc'] !== '2.0') log(line);
      else give?.enqueue(message as AnyMessage);
    },
    onTooLong: () => log(`(a line of more than ${mostBytes} bytes)`),
  });
  void child.ended.then(() => {
    give?.close();
    give = null;
  });
  const writable = new WritableStream<AnyMessage>({
    write(message) {
      child.send(JSON.stringify(message));
    },
  });
  return { child, stream: { readable, writable } };
}
