/** Prepares a state directory for a user inside a machine: prepare NAME UID MOUNTS. Prints what was prepared, as JSON. */
import { openDirectories } from '../../../../src/directories/open-directories.ts';
import { HelperPlaces } from '../../../../src/host/places.ts';
import { UserMarks } from '../../../../src/host/user-marks.ts';
import { HELPER } from '../../../native/tree/fixture.ts';
import { NONE, prepareAll, userOf } from '../fixture.ts';

const [source = '', uid = '', mounts = ''] = process.argv.slice(2);
const places = new HelperPlaces([HELPER]);
const room = openDirectories(HELPER, { marks: new UserMarks(), places });
const request = { runtime: [], state: [source], cache: [], logs: [] };
const requested = room.requested(request, { modes: {}, preserveRuntime: false });
const options = { makesMounts: mounts === 'mounts', verify: false, live: NONE };
const prepared = await prepareAll(room, requested, userOf(Number(uid)), options);
await places.close();
process.stdout.write(JSON.stringify(prepared.directories));
