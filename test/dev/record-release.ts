/** `node dist/test/dev/record-release.js`: keeps what this version says on the wire, for the tests of later ones (test/contract/releases). */
import { writeFileSync } from 'node:fs';
import { VERSION } from '../../src/core/version.ts';
import { CHECKOUT } from '../../src/tooling/checkout.ts';
import { parseInterface } from '../../src/varlink/idl/parse.ts';
import type { JsonObject } from '../../src/varlink/json.ts';
import { LauncherHost } from '../integration/run/fake-daemon.ts';
import { type Installed, withInstalled } from '../support/installed.ts';
import { RECORDED, RELEASES } from '../support/release-record.ts';
import { readSource } from '../support/sources.ts';
import { wireOf } from '../support/wire.ts';

/** The launcher asks a daemon that is not there, which asks what the real one asks. */
async function record(launcher: LauncherHost, real: Installed, argv: readonly string[]): Promise<JsonObject> {
  let request: JsonObject = {};
  let plan: unknown;
  launcher.answer = async parameters => {
    request = parameters;
    const [result] = await real.calls([['io.dynuser.Allocator.Launch', parameters]]);
    const reply = result as JsonObject & { readonly reply?: JsonObject };
    plan = reply.reply?.['plan'];
    return reply.reply ?? {};
  };
  const { status, stderr } = await launcher.launch(argv);
  if (status !== 0 || plan === undefined) {
    throw new Error(`${argv.join(' ')}: ${status} ${stderr}`);
  }
  return { argv: [...argv], request, plan: plan as JsonObject };
}

await withInstalled({}, async real => {
  await real.startDaemon();
  const launcher = await LauncherHost.boot();
  try {
    const launches: Record<string, JsonObject> = {};
    for (const [name, argv] of Object.entries(RECORDED)) {
      launches[name] = await record(launcher, real, argv);
    }
    writeFileSync(`${CHECKOUT}${RELEASES}/${VERSION}.json`, `${JSON.stringify(launches, null, 2)}\n`);
  } finally {
    await launcher.stop();
  }
});
const wire = wireOf(parseInterface(readSource('src/api/interfaces/io.dynuser.Allocator.varlink')));
writeFileSync(`${CHECKOUT}${RELEASES}/${VERSION}.wire`, `${wire.join('\n')}\n`);
