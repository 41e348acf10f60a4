/**
 * Standing instructions as a file that an agent reads by itself, for agents that take them in no other way. It lies in
 * the attempt's folder: in the tree it would stand beside, or in the place of, one of the repository's, and could get into
 * a commit.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Profile } from '../agents/acp-profiles.ts';
import { standingFolder } from '../agents/acp-settings.ts';
import { objectOn } from '../agents/json-lines.ts';

/** Writes the file, and gives the variables that tell the agent of it; none where it needs none, or that cannot be. */
export function standingEnvironment(options: {
  readonly profile: Pick<Profile, 'standingFile'>;
  readonly standing: string | null;
  readonly attemptDir: string;
  readonly env: NodeJS.ProcessEnv;
}): Readonly<Record<string, string>> {
  const { profile, standing, attemptDir, env } = options;
  if (standing === null || profile.standingFile === null) return {};
  const dir = standingFolder(attemptDir);
  const file = join(dir, profile.standingFile);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  writeFileSync(file, standing, { mode: 0o600 });
  switch (profile.standingFile) {
    case 'GEMINI.md':
      // It looks upwards as far as a repository goes: no further than here, since above is the user's.
      mkdirSync(join(dir, '.git'), { recursive: true });
      return {};
    case 'AGENTS.md': {
      const config = objectOn(env['OPENCODE_CONFIG_CONTENT'] ?? '{}');
      if (config === null) return {};
      const before: unknown = config['instructions'];
      const instructions = [...(Array.isArray(before) ? before : []), file];
      return { OPENCODE_CONFIG_CONTENT: JSON.stringify({ ...config, instructions }) };
    }
  }
}
