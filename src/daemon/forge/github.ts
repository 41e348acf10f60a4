/** Pull requests of GitHub. */
import * as z from 'zod';
import type { Forge, Pull } from './contract.ts';
import { call, parsed, type ForgePlace } from './forge-call.ts';
import { heardOnGitHub } from './heard-on-github.ts';

const onGitHub = z.object({
  number: z.int().positive(),
  html_url: z.string(),
  state: z.enum(['open', 'closed']),
  merged_at: z.string().nullable(),
});

/** `gh`. */
export function gitHub(here: ForgePlace): Forge {
  const pulls = 'repos/{owner}/{repo}/pulls';
  const read = (said: unknown): Pull => {
    const { number, html_url: url, state, merged_at: merged } = parsed('gh', onGitHub, said);
    return { number, url, state: merged !== null ? 'merged' : state };
  };
  const ask = async (path: string, method = 'GET', body?: object): Promise<unknown> =>
    call(here, { program: 'gh', path, method, body });
  return {
    program: 'gh',
    async find({ branch, target }) {
      const query = `state=open&head={owner}:${encodeURIComponent(branch)}&base=${encodeURIComponent(target)}`;
      const [first] = parsed('gh', z.array(z.unknown()), await ask(`${pulls}?${query}`));
      return first === undefined ? null : read(first);
    },
    open: async ({ branch, target }, text) =>
      read(await ask(pulls, 'POST', { ...text, head: branch, base: target })),
    update: async (number, text) => read(await ask(`${pulls}/${number}`, 'PATCH', text)),
    look: async (number) => read(await ask(`${pulls}/${number}`)),
    heard: async (number) => heardOnGitHub(here, number),
  };
}
