/** What checks and people said of a pull request of GitHub. */
import * as z from 'zod';
import type { Heard, Remark } from './contract.ts';
import { call, callList, callText, ForgeError, parsed, type ForgePlace } from './forge-call.ts';

const repo = 'repos/{owner}/{repo}';
/** Characters of a log that are passed on: its end. */
const longestLog = 8_000;
const failures = new Set(['failure', 'timed_out', 'startup_failure']);
/** Who may write to the repository, or was invited to it. */
const insiders = new Set(['OWNER', 'MEMBER', 'COLLABORATOR']);

const onPull = z.object({ head: z.object({ sha: z.string() }) });
const checkRun = z.object({
  id: z.number(),
  name: z.string(),
  status: z.string(),
  conclusion: z.string().nullable(),
  app: z.object({ slug: z.string().nullish() }).nullish(),
  output: z
    .object({
      title: z.string().nullish(),
      summary: z.string().nullish(),
      text: z.string().nullish(),
      annotations_count: z.number().default(0),
    })
    .default({ annotations_count: 0 }),
});
const checkRuns = z.object({ check_runs: z.array(checkRun) }).transform((one) => one.check_runs);
const annotations = z.array(
  z.object({
    path: z.string(),
    start_line: z.number().nullish(),
    annotation_level: z.string().nullish(),
    title: z.string().nullish(),
    message: z.string().nullish(),
  }),
);
const statuses = z
  .object({
    statuses: z.array(
      z.object({
        context: z.string(),
        state: z.string(),
        description: z.string().nullish(),
        target_url: z.string().nullish(),
      }),
    ),
  })
  .transform((one) => one.statuses);
const author = {
  user: z.object({ login: z.string() }).nullable(),
  author_association: z.string(),
  body: z.string().nullable(),
};
const comments = z.array(
  z.object({
    ...author,
    id: z.number(),
    path: z.string(),
    line: z.number().nullish(),
    original_line: z.number().nullish(),
  }),
);
const reviews = z.array(z.object({ ...author, id: z.number(), state: z.string() }));

type CheckRun = z.infer<typeof checkRun>;

/** Checks of its head that failed, comments on its lines, and reviews that ask for changes. */
export async function heardOnGitHub(here: ForgePlace, number: number): Promise<Heard> {
  const ask = async (path: string): Promise<unknown> => call(here, { program: 'gh', path });
  const list = async <T>(path: string, shape: z.ZodType<readonly T[]>): Promise<readonly T[]> =>
    callList(here, { program: 'gh', path: `${repo}/${path}` }, shape);
  const { head } = parsed('gh', onPull, await ask(`${repo}/pulls/${number}`));
  const runs = await list(`commits/${head.sha}/check-runs`, checkRuns);
  const states = await list(`commits/${head.sha}/status`, statuses);
  const failed = runs.filter(({ conclusion }) => failures.has(conclusion ?? ''));
  const remarks: Remark[] = [];
  for (const run of failed) remarks.push(...(await ofCheck(here, run, head.sha)));
  for (const { context, state, description, target_url: url } of states) {
    if (state !== 'failure' && state !== 'error') continue;
    const text = [description, url].filter((one) => one != null && one !== '').join('\n');
    remarks.push(check({ name: context, head: head.sha, file: null, line: null, text }));
  }
  const said = [
    ...(await list(`pulls/${number}/reviews`, reviews))
      .filter(({ state }) => state === 'CHANGES_REQUESTED')
      .map((one) => ({ ...one, id: `review:${one.id}`, file: null, line: null })),
    ...(await list(`pulls/${number}/comments`, comments)).map((one) => ({
      ...one,
      id: `comment:${one.id}`,
      file: one.path,
      line: one.line ?? one.original_line ?? null,
    })),
  ].filter(({ body }) => body !== null && body.trim() !== '');
  const heard = said.filter((one) => insiders.has(one.author_association));
  for (const { id, user, file, line, body } of heard)
    remarks.push({ id, kind: 'comment', by: user?.login ?? '', file, line, text: body ?? '' });
  return {
    head: head.sha,
    remarks,
    pending: [
      ...runs.filter(({ status }) => status !== 'completed').map(({ name }) => name),
      ...states.filter(({ state }) => state === 'pending').map(({ context }) => context),
    ],
    passedOver: said.length - heard.length,
    untold: [],
  };
}

/** What a failed check says: file by file where it points at lines, else as a whole with the end of its log. */
async function ofCheck(here: ForgePlace, run: CheckRun, head: string): Promise<readonly Remark[]> {
  const { id, name, output } = run;
  const notes =
    output.annotations_count === 0
      ? []
      : await callList(
          here,
          { program: 'gh', path: `${repo}/check-runs/${id}/annotations` },
          annotations,
        );
  // Actions itself points at `.github` when a step fails.
  const placed = notes.filter(
    (note) => note.annotation_level === 'failure' && note.path !== '.github',
  );
  const files = Map.groupBy(placed, ({ path }) => path);
  if (files.size > 0) {
    return [...files].map(([file, found]) => {
      const text = found.map((one) => `${one.start_line ?? ''}: ${one.message ?? one.title ?? ''}`);
      const line = found[0]?.start_line ?? null;
      return check({ name, head, file, line, text: text.join('\n') });
    });
  }
  const log = run.app?.slug === 'github-actions' ? await endOfLog(here, id) : '';
  const parts = [output.title, output.summary, output.text, log];
  const text = parts.filter((part) => part != null && part.trim() !== '').join('\n\n');
  return [check({ name, head, file: null, line: null, text })];
}

async function endOfLog(here: ForgePlace, job: number): Promise<string> {
  try {
    const path = `${repo}/actions/jobs/${job}/logs`;
    return (await callText(here, { program: 'gh', path })).slice(-longestLog);
  } catch (error) {
    // Logs are gone after a while, and not everybody may read them.
    if (error instanceof ForgeError) return '';
    throw error;
  }
}

function check(of: {
  readonly name: string;
  readonly head: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly text: string;
}): Remark {
  const { name, head, file, line, text } = of;
  const id = `check:${head}:${name}${file === null ? '' : `:${file}`}`;
  return { id, kind: 'check', by: name, file, line, text };
}
