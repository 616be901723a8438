import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DaemonTimeout, describeErrorReply, describeTransportTrouble } from '../../../src/cli/error-messages.ts';
import { ConnectionError, VarlinkError } from '../../../src/varlink/errors.ts';

const PATH = '/run/dynuser/io.dynuser.DynamicUser';
const ACQUIRE = 'io.dynuser.Allocator.Acquire';
const RELEASE = 'io.dynuser.Allocator.Release';

function systemError(code: string): Error {
  return Object.assign(new Error(`connect ${code} ${PATH}`), { code });
}

test('a daemon that is away: where, why, and how to start it', () => {
  const expected = `cannot reach dynuserd at ${PATH}: no such file: is it running? Start it with 'systemctl start dynuserd' or 'dynuserd'`;
  assert.equal(describeTransportTrouble(systemError('ENOENT'), PATH), expected);
  assert.equal(describeTransportTrouble(new ConnectionError('outer', systemError('ENOENT')), PATH), expected);
});

test('each other error of connect has its own words', () => {
  const words = ['ECONNREFUSED', 'EACCES', 'ENOTDIR', 'ENOTSOCK', 'EAGAIN'].map(code =>
    describeTransportTrouble(systemError(code), PATH),
  );
  assert.equal(new Set(words).size, words.length);
  for (const said of words) {
    assert.ok(said.startsWith(`cannot reach dynuserd at ${PATH}: `), said);
    assert.doesNotMatch(said, /\bE[A-Z]{4,}\b/);
  }
});

test('a daemon that is slow, and a connection that is lost', () => {
  assert.match(
    describeTransportTrouble(new DaemonTimeout(5_000), PATH),
    /^dynuserd at \S+ gave no answer within 5 s: /,
  );
  assert.match(
    describeTransportTrouble(new ConnectionError('closed \x1b[2J'), PATH),
    /^lost dynuserd at \S+: closed \\x1b\[2J\. See /,
  );
});

test('a reason of the allocator is said as it is, with advice where there is some', () => {
  const reply = (error: string, reason = 'because'): VarlinkError =>
    new VarlinkError(`io.dynuser.Allocator.${error}`, { field: 'unit', reason });
  assert.equal(describeErrorReply(reply('InvalidName'), ACQUIRE), 'because');
  assert.equal(describeErrorReply(reply('NameConflict', 'a\nb'), ACQUIRE), 'a\\nb');
  assert.match(describeErrorReply(reply('NotPermitted'), ACQUIRE), /^because \(who may is set in \S+dynuserd\.conf\)$/);
  assert.equal(describeErrorReply(reply('NotPermitted'), RELEASE), 'because');
  assert.match(describeErrorReply(reply('NoSuchLease'), RELEASE), /^because \('dynuserctl show NAME' /);
});

test('an error names the option that was typed, and gives no advice about anything else', () => {
  const said = (error: string, field: string, method = ACQUIRE): string =>
    describeErrorReply(new VarlinkError(`io.dynuser.Allocator.${error}`, { field, reason: 'because' }), method);
  assert.equal(said('NameConflict', 'userName'), '--user=: because');
  assert.equal(said('DirectoryFailed', 'logsDirectory'), '--logs-directory=: because');
  assert.equal(said('DirectoryFailed', 'runtimeDirectoryMode'), '--runtime-directory-mode=: because');
  assert.equal(said('NotPermitted', 'pid'), '--pid=: because');
  assert.match(said('NotPermitted', 'stateDirectory'), /^--state-directory=: because \(who may is set in /);
  assert.equal(said('ProbeFailed', 'unit'), 'because');
  assert.equal(said('LimitReached', 'registry'), 'because');
  assert.equal(said('LimitReached', 'cacheDirectory'), '--cache-directory=: because');
  assert.match(said('LimitReached', 'lease'), /^because \('dynuserctl list' /);
});

test('the errors of varlink itself, and ones that nobody knows', () => {
  const said = (error: string, parameters = {}): string =>
    describeErrorReply(new VarlinkError(error, parameters), ACQUIRE);
  assert.equal(
    said('org.varlink.service.InvalidParameter', { parameter: 'pid' }),
    `dynuserd does not accept the parameter 'pid' of ${ACQUIRE}`,
  );
  assert.match(said('org.varlink.service.MethodNotFound', { method: ACQUIRE }), /does not know .* older than/);
  assert.match(said('org.varlink.service.InterfaceNotFound'), /does not know /);
  assert.equal(
    said('org.example.\x1b', { held: 2n ** 63n }),
    `${ACQUIRE}: dynuserd answered org.example.\\x1b {"held":"9223372036854775808"}`,
  );
  assert.match(said('io.dynuser.Allocator.LimitReached', { reason: 5 }), /LimitReached \{"reason":5\}$/);
});
