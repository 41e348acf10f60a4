/** Merge requests of GitLab. */
import * as z from 'zod';
import type { Forge, Pull, PullText } from './contract.ts';
import { call, parsed, type ForgePlace } from './forge-call.ts';
import { heardOnGitLab } from './heard-on-gitlab.ts';

const onGitLab = z.object({
  iid: z.int().positive(),
  web_url: z.string(),
  state: z.enum(['opened', 'closed', 'locked', 'merged']),
});

/** `glab`. */
export function gitLab(here: ForgePlace): Forge {
  const requests = 'projects/:id/merge_requests';
  const read = (said: unknown): Pull => {
    const { iid: number, web_url: url, state } = parsed('glab', onGitLab, said);
    return { number, url, state: state === 'opened' || state === 'locked' ? 'open' : state };
  };
  const ask = async (path: string, method = 'GET', body?: object): Promise<unknown> =>
    call(here, { program: 'glab', path, method, body });
  const fields = ({ title, body }: PullText): object => ({ title, description: body });
  return {
    program: 'glab',
    async find({ branch, target }) {
      const query = `state=opened&source_branch=${encodeURIComponent(branch)}&target_branch=${encodeURIComponent(target)}`;
      const [first] = parsed('glab', z.array(z.unknown()), await ask(`${requests}?${query}`));
      return first === undefined ? null : read(first);
    },
    open: async ({ branch, target }, text) =>
      read(
        await ask(requests, 'POST', {
          ...fields(text),
          source_branch: branch,
          target_branch: target,
        }),
      ),
    update: async (number, text) => read(await ask(`${requests}/${number}`, 'PUT', fields(text))),
    look: async (number) => read(await ask(`${requests}/${number}`)),
    heard: async (number) => heardOnGitLab(here, number),
  };
}
