// The browser tests: a real server, a real Chromium. Run by `make browser`, or
//
//   node --test e2e/main.test.mjs                                   all of them
//   node --test --test-name-pattern 'board' e2e/main.test.mjs       some of them
//
// PATIENCE says how many milliseconds anything may take (60000). STDOPS_PROGRAM names the program (../bin/stdops), CHROMIUM the browser, FAILURES a directory for pictures of what failed,
// SCREENSHOTS one for pictures of all screens.
import { after, before, describe } from 'node:test';
import { audit } from './audit.mjs';
import { care } from './care.mjs';
import { chinese } from './chinese.mjs';
import { finding } from './finding.mjs';
import { graph } from './graph.mjs';
import { kept } from './kept.mjs';
import { changes } from './live.mjs';
import { odd } from './odd.mjs';
import { rights } from './rights.mjs';
import { accessible } from './screens.mjs';
import { size } from './size.mjs';
import { usual } from './usual.mjs';
import { walks } from './walks.mjs';
import { atOnce, setUp, tearDown } from './world.mjs';

describe('browser', { concurrency: atOnce, timeout: 900_000 }, () => {
  before(setUp, { timeout: 300_000 });
  after(tearDown, { timeout: 60_000 });
  changes();
  walks();
  finding();
  usual();
  audit();
  graph();
  rights();
  odd();
  kept();
  accessible();
  care();
  chinese();
  size();
});
