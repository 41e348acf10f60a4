// Stands in for `gh api` and `glab api` in tests, under their names. Its pull requests lie in `pulls.json` of
// the folder that it is in, what it was called with in `calls.jsonl`. What it says of checks and comments lies in
// `answers.json`, by path, and is empty where nothing does; `remote` names the bare repository of the branches.
import { execFileSync } from 'node:child_process';
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const [, self, ...args] = process.argv;
const folder = dirname(self);
const [, path, , method] = args;
const input = args.includes('--input') ? readFileSync(0, 'utf8') : '';
appendFileSync(join(folder, 'calls.jsonl'), `${JSON.stringify({ args, input })}\n`);
const store = join(folder, 'pulls.json');
const pulls = existsSync(store) ? JSON.parse(readFileSync(store, 'utf8')) : [];
const gitLab = basename(self) === 'glab';
const [where, query = ''] = path.split('?');
if (existsSync(join(folder, 'away'))) fail('error connecting to the server');
const answers = existsSync(join(folder, 'answers.json'))
  ? JSON.parse(readFileSync(join(folder, 'answers.json'), 'utf8'))
  : {};
if (where in answers) answer(answers[where]);
else if (where.endsWith('/check-runs')) say({ check_runs: [] });
else if (where.endsWith('/status')) say({ statuses: [] });
else if (/\/(comments|reviews|discussions)$/.test(where)) say([]);
else if (where !== (gitLab ? 'projects/:id/merge_requests' : 'repos/{owner}/{repo}/pulls')) one();
else if (method === 'POST') {
  const told = JSON.parse(input);
  const pull = {
    number: pulls.length + 1,
    state: 'open',
    head: told.head ?? told.source_branch,
    base: told.base ?? told.target_branch,
    title: told.title,
    body: told.body ?? told.description,
  };
  if (pulls.some((other) => other.head === pull.head && other.state === 'open'))
    fail('a pull request for this branch exists already');
  pulls.push(pull);
  write();
  say(shown(pull));
} else {
  const asked = new URLSearchParams(query);
  const head = gitLab ? asked.get('source_branch') : asked.get('head').replace(/^\{owner\}:/, '');
  const base = asked.get(gitLab ? 'target_branch' : 'base');
  say(
    pulls
      .filter((pull) => pull.state === 'open' && pull.head === head && pull.base === base)
      .map(shown),
  );
}

function one() {
  const pull = pulls.find(({ number }) => where.endsWith(`/${number}`));
  if (pull === undefined) fail(`gh: Not Found (HTTP 404)`);
  if (method === (gitLab ? 'PUT' : 'PATCH')) {
    const told = JSON.parse(input);
    Object.assign(pull, { title: told.title, body: told.body ?? told.description });
    if (answers['merges what is updated'] === true) pull.state = 'merged';
    write();
  }
  say(shown(pull));
}

function shown({ number, state, head }) {
  const url = `https://example.org/pulls/${number}`;
  const sha = tip(head);
  if (gitLab) {
    const more = answers[`pipeline of ${number}`] ?? {};
    return { iid: number, web_url: url, state: state === 'open' ? 'opened' : state, sha, ...more };
  }
  const merged = state === 'merged' ? '2026-11-21T10:00:00Z' : null;
  const open = merged === null ? state : 'closed';
  return { number, html_url: url, state: open, merged_at: merged, head: { sha } };
}

/** The commit of a branch at the remote; its name where there is no remote. */
function tip(branch) {
  if (!existsSync(join(folder, 'remote'))) return branch;
  const remote = readFileSync(join(folder, 'remote'), 'utf8');
  const args = ['--git-dir', remote, 'rev-parse', `refs/heads/${branch}`];
  return execFileSync('git', args, { encoding: 'utf8' }).trim();
}

/** A text is printed as it is, as logs are; null is nothing that is there; `fails` is what it says where it fails. */
function answer(what) {
  if (what === null) fail(gitLab ? 'glab: 404 Not found (HTTP 404)' : 'gh: Not Found (HTTP 404)');
  if (typeof what === 'object' && 'fails' in what) fail(what.fails);
  if (typeof what === 'string') process.stdout.write(what);
  else say(what);
}

function write() {
  writeFileSync(store, JSON.stringify(pulls));
}

function say(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

function fail(why) {
  process.stderr.write(`${why}\n`);
  process.exit(1);
}
