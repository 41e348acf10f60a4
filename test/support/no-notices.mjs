// Loaded before czar: no change in any folder is ever told to it. Notes in a file which folders it wanted to hear of.
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

fs.watch = (folder) => {
  fs.appendFileSync(process.env.NOT_HEARD_OF, `${process.pid} ${folder}\n`);
  return Object.assign(new EventEmitter(), { close: () => {} });
};
syncBuiltinESMExports();
