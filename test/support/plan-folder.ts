/** A throw-away repository folder with plan files in it, loaded: what a test of `src/plan` begins with. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { findHome, type Home } from '../../src/plan/home.ts';
import { onlyHome, type ConfigSources } from '../../src/plan/config-layers.ts';
import { loadPlan, type LoadedPlan } from '../../src/plan/load.ts';

export interface PlanFolder extends Disposable {
  readonly root: string;
  readonly write: (files: Readonly<Record<string, string | Uint8Array>>) => void;
  readonly home: () => Home;
  /** Loads the plan; without sources nothing but the home counts. */
  readonly load: (sources?: Partial<ConfigSources>) => LoadedPlan;
}

/** A folder with the files (paths relative to the root). */
export function planFolder(files: Readonly<Record<string, string | Uint8Array>>): PlanFolder {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'czar-plan-')));
  const write: PlanFolder['write'] = (more) => {
    for (const [file, text] of Object.entries(more)) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
  };
  write(files);
  const home = (): Home => {
    const found = findHome({ root, czarDir: null, cwd: root });
    if ('error' in found) throw new Error(found.error);
    return found;
  };
  return {
    root,
    write,
    home,
    load: (sources = {}) => loadPlan({ root, home: home(), sources: { ...onlyHome, ...sources } }),
    [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** The plan of worker files given by name without folder and ending. */
export function loadWorkers(workers: Readonly<Record<string, string>>): LoadedPlan {
  const files = Object.entries(workers).map(([name, text]) => [`.czar/workers/${name}.md`, text]);
  using folder = planFolder(Object.fromEntries(files));
  return folder.load();
}
