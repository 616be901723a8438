/** Prepares a state directory for a user inside a machine: prepare NAME UID MOUNTS. Prints what was prepared, as JSON. */
import { openDirectories } from '../../../../src/directories/open-directories.ts';
import { HelperPathInspector } from '../../../../src/host/helper/path-inspector.ts';
import { HostOwnerHints } from '../../../../src/host/owner-hints.ts';
import { HELPER } from '../../../native/tree/fixture.ts';
import { NONE, prepareAll, userOf } from '../fixture.ts';

const [source = '', uid = '', mounts = ''] = process.argv.slice(2);
const inspector = new HelperPathInspector([HELPER]);
const directories = openDirectories(HELPER, { hints: new HostOwnerHints(), inspector });
const request = { runtime: [], state: [source], cache: [], logs: [] };
const requested = directories.requested(request, { modes: {}, preserveRuntime: false });
const options = { makesMounts: mounts === 'mounts', verify: false, live: NONE };
const prepared = await prepareAll(directories, requested, userOf(Number(uid)), options);
await inspector.close();
process.stdout.write(JSON.stringify(prepared.directories));
