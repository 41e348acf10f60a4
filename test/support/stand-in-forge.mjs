// Stands in for `gh api` and `glab api` in tests, under their names. Its pull requests lie in `pulls.json` of
// the folder that it is in, what it was called with in `calls.jsonl`.
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
if (where !== (gitLab ? 'projects/:id/merge_requests' : 'repos/{owner}/{repo}/pulls')) one();
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
    write();
  }
  say(shown(pull));
}

function shown({ number, state }) {
  const url = `https://example.org/pulls/${number}`;
  if (gitLab) return { iid: number, web_url: url, state: state === 'open' ? 'opened' : state };
  const merged = state === 'merged' ? '2026-11-21T10:00:00Z' : null;
  return { number, html_url: url, state: merged === null ? state : 'closed', merged_at: merged };
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
