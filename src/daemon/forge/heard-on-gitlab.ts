/** What pipelines and people said of a merge request of GitLab. */
import * as z from 'zod';
import type { Heard, Remark } from './contract.ts';
import { call, callList, callText, ForgeError, parsed, type ForgePlace } from './forge-call.ts';

/** Characters of a log that are passed on: its end. */
const longestLog = 8_000;
/** What a pipeline is while it can still fail by itself. */
const underWay = new Set([
  'created',
  'waiting_for_resource',
  'preparing',
  'pending',
  'running',
  'scheduled',
]);
/** From which access level people may push: Developer. */
const developer = 30;

const request = z.object({
  sha: z.string(),
  head_pipeline: z.object({ id: z.number(), status: z.string() }).nullish(),
});
const jobs = z.array(
  z.object({
    id: z.number(),
    name: z.string(),
    status: z.string(),
    allow_failure: z.boolean().default(false),
  }),
);
const discussions = z.array(
  z.object({
    notes: z.array(
      z.object({
        id: z.number(),
        body: z.string(),
        system: z.boolean(),
        resolvable: z.boolean().default(false),
        resolved: z.boolean().nullish(),
        author: z.object({ id: z.number(), username: z.string() }),
        position: z
          .object({
            new_path: z.string().nullish(),
            new_line: z.number().nullish(),
            old_path: z.string().nullish(),
            old_line: z.number().nullish(),
          })
          .nullish(),
      }),
    ),
  }),
);
const member = z.object({ access_level: z.number() });

/** Jobs of its newest pipeline that failed, and open threads. */
export async function heardOnGitLab(here: ForgePlace, number: number): Promise<Heard> {
  const path = `projects/:id/merge_requests/${number}`;
  const { sha, head_pipeline: pipeline } = parsed(
    'glab',
    request,
    await call(here, { program: 'glab', path }),
  );
  const remarks: Remark[] = [];
  const running = pipeline != null && underWay.has(pipeline.status);
  if (pipeline != null) remarks.push(...(await ofPipeline(here, pipeline.id, sha)));
  const threads = await callList(
    here,
    { program: 'glab', path: `${path}/discussions` },
    discussions,
  );
  const open = threads
    .flatMap(({ notes }) => notes)
    .filter((note) => !note.system && note.resolvable && note.resolved !== true);
  const asked = insiders(here);
  const untold = new Map<string, string>();
  let passedOver = 0;
  for (const { id, body, author, position } of open) {
    const mayPush = await asked(author.id);
    if (typeof mayPush !== 'boolean') untold.set(author.username, mayPush.failed);
    else if (!mayPush) passedOver += 1;
    if (mayPush !== true) continue;
    remarks.push({
      id: `comment:${id}`,
      kind: 'comment',
      by: author.username,
      file: position?.new_path ?? position?.old_path ?? null,
      line: position?.new_line ?? position?.old_line ?? null,
      text: body,
    });
  }
  return {
    head: sha,
    remarks,
    pending: running ? [`pipeline ${pipeline.id}`] : [],
    passedOver,
    untold: [...untold].map(
      ([name, why]) => `What ${name} said waits: whether they may push could not be told (${why}).`,
    ),
  };
}

async function ofPipeline(
  here: ForgePlace,
  pipeline: number,
  head: string,
): Promise<readonly Remark[]> {
  const all = await callList(
    here,
    { program: 'glab', path: `projects/:id/pipelines/${pipeline}/jobs` },
    jobs,
  );
  const failed = all.filter((job) => job.status === 'failed' && !job.allow_failure);
  const remarks: Remark[] = [];
  for (const { id, name } of failed) {
    const text = await endOfLog(here, id);
    remarks.push({
      id: `check:${head}:${name}`,
      kind: 'check',
      by: name,
      file: null,
      line: null,
      text,
    });
  }
  return remarks;
}

async function endOfLog(here: ForgePlace, job: number): Promise<string> {
  try {
    const path = `projects/:id/jobs/${job}/trace`;
    return (await callText(here, { program: 'glab', path })).slice(-longestLog);
  } catch (error) {
    // Logs are gone after a while, and not everybody may read them.
    if (error instanceof ForgeError) return '';
    throw error;
  }
}

/** What `glab api` prints where GitLab knows no such member; a project that it does not know is another matter. */
const noMember = /^glab: 404 (?:user |member )?not found \(HTTP 404\)$/im;

/**
 * Whether somebody may push to the project; each is asked for once. Whoever is no member may not; where GitLab gave no
 * answer, there is none.
 */
function insiders(
  here: ForgePlace,
): (user: number) => Promise<boolean | { readonly failed: string }> {
  const known = new Map<number, boolean | { readonly failed: string }>();
  return async (user) => {
    const before = known.get(user);
    if (before !== undefined) return before;
    const may = await mayPush(here, user);
    known.set(user, may);
    return may;
  };
}

async function mayPush(
  here: ForgePlace,
  user: number,
): Promise<boolean | { readonly failed: string }> {
  try {
    const path = `projects/:id/members/all/${user}`;
    const said = await call(here, { program: 'glab', path });
    return parsed('glab', member, said).access_level >= developer;
  } catch (error) {
    if (!(error instanceof ForgeError)) throw error;
    return noMember.test(error.said) ? false : { failed: error.message };
  }
}
