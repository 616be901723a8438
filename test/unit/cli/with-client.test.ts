import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CommandFailure } from '../../../src/cli/failure.ts';
import { describeError, publicSocket } from '../../../src/cli/with-client.ts';
import { DynuserError, type DynuserErrorCode, toDynuserError } from '../../../src/client/errors.ts';
import { ConnectionError, VarlinkError } from '../../../src/varlink/errors.ts';

const PATH = '/run/dynuser/io.dynuser.DynamicUser';

/** What is said of an error of the varlink library. */
function said(error: Error): string {
  const translated = toDynuserError(error);
  assert.ok(translated instanceof DynuserError);
  return describeError(translated, PATH);
}

const unreachable = (code: string): Error =>
  new ConnectionError('outer', Object.assign(new Error(`connect ${code} ${PATH}`), { code }));

test('a daemon that is away: where, why, and how to start it', () => {
  const expected = `cannot reach dynuserd at ${PATH}: no such file: is it running? Start it with 'systemctl start dynuserd' or 'dynuserd'`;
  assert.equal(said(unreachable('ENOENT')), expected);
});

test('a runtime directory that cannot be one is a mistake in the use of the command', () => {
  assert.throws(
    () => publicSocket({ DYNUSER_RUNTIME_DIRECTORY: 'relative' }),
    (error: unknown) =>
      error instanceof CommandFailure && error.status === 2 && /^DYNUSER_RUNTIME_DIRECTORY: /.test(error.message),
  );
});

test('each other error of connect has its own words', () => {
  const words = ['ECONNREFUSED', 'EACCES', 'ENOTDIR', 'ENOTSOCK', 'EAGAIN'].map(code => said(unreachable(code)));
  assert.equal(new Set(words).size, words.length);
  for (const line of words) {
    assert.ok(line.startsWith(`cannot reach dynuserd at ${PATH}: `), line);
    assert.doesNotMatch(line, /\bE[A-Z]{4,}\b/);
  }
});

test('a daemon that is slow, and a connection that is lost', () => {
  assert.match(
    describeError(new DynuserError('Timeout', 'List: no answer within 5000 ms'), PATH),
    /^dynuserd at \S+ does not answer \(List: no answer within 5000 ms\): it hangs, or /,
  );
  assert.match(said(new ConnectionError('closed \x1b[2J')), /^lost dynuserd at \S+: closed \\x1b\[2J; see /);
});

test('a reason of the allocator is said as it is, with advice if there is some', () => {
  const reply = (error: DynuserErrorCode, reason = 'because', field = 'unit'): string =>
    said(new VarlinkError(`io.dynuser.Allocator.${error}`, { field, reason }));
  assert.equal(reply('InvalidName'), 'because');
  assert.equal(reply('NameConflict', 'a\nb'), 'a\\nb');
  assert.match(reply('NotPermitted'), /^because \(who may is set in \S+dynuserd\.conf\)$/);
  // Who may release a lease is not configured: the owner may, and root.
  assert.equal(reply('NotPermitted', 'because', 'lease'), 'because');
  assert.match(reply('NoSuchLease'), /^because \('dynuserctl show NAME' /);
});

test('an error names the option that was typed, and gives no advice about anything else', () => {
  const reply = (error: DynuserErrorCode, field: string): string =>
    said(new VarlinkError(`io.dynuser.Allocator.${error}`, { field, reason: 'because' }));
  assert.equal(reply('NameConflict', 'userName'), '--user=: because');
  assert.equal(reply('DirectoryFailed', 'logsDirectory'), '--logs-directory=: because');
  assert.equal(reply('DirectoryFailed', 'runtimeDirectoryMode'), '--runtime-directory-mode=: because');
  assert.equal(reply('NotPermitted', 'pid'), '--pid=: because');
  assert.match(reply('NotPermitted', 'stateDirectory'), /^--state-directory=: because \(who may is set in /);
  assert.equal(reply('ProbeFailed', 'unit'), 'because');
  assert.equal(reply('LimitReached', 'registry'), 'because');
  assert.equal(reply('LimitReached', 'cacheDirectory'), '--cache-directory=: because');
  assert.match(reply('LimitReached', 'lease'), /^because \('dynuserctl list' /);
});

test('the errors of varlink itself, and ones that nobody knows', () => {
  const reply = (error: string, parameters = {}): string => said(new VarlinkError(error, parameters));
  assert.equal(
    reply('org.varlink.service.InvalidParameter', { parameter: 'pid' }),
    "dynuserd does not accept the parameter 'pid'",
  );
  assert.match(
    reply('org.varlink.service.MethodNotFound', { method: 'io.dynuser.Allocator.X' }),
    /^dynuserd does not know io\.dynuser\.Allocator\.X: it is older than/,
  );
  assert.match(reply('org.varlink.service.InterfaceNotFound', { interface: 'a.b' }), /does not know a\.b: /);
  assert.equal(
    reply('org.example.\x1b', { held: 2n ** 63n }),
    'dynuserd answered org.example.\\x1b {"held":"9223372036854775808"}',
  );
  assert.match(
    describeError(new DynuserError('UnexpectedReply', 'uid is not an integer\x1b'), PATH),
    /^the answer cannot be understood: uid is not an integer\\x1b; use a dynuserctl /,
  );
});
