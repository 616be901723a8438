/** What becomes of the errors of the system: which of them may pass, and what a person can do about them. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DynuserError, type ErrorCode } from '../../../src/core/errors.ts';
import { attempt, hostError, systemErrorCode } from '../../../src/host/host-error.ts';

const systemError = (code: string): Error => Object.assign(new Error(`${code}: words`), { code });

describe('an error of the system', () => {
  const CASES: readonly (readonly [code: string, becomes: ErrorCode, advice: string])[] = [
    ['EMFILE', 'LimitReached', '; raise LimitNOFILE= of dynuserd, or release users'],
    ['ENFILE', 'LimitReached', '; raise fs.file-max of the host'],
    ['ENOSPC', 'LimitReached', '; free some space there'],
    ['EDQUOT', 'LimitReached', '; free some space there'],
    ['ENOMEM', 'LimitReached', ''],
    ['ENOLCK', 'LimitReached', ''],
    ['EROFS', 'HostFailed', '; make that file system writable'],
    ['ENOENT', 'HostFailed', ''],
    ['EACCES', 'HostFailed', ''],
  ];
  for (const [code, becomes, advice] of CASES) {
    it(`${code} is ${becomes}, in the words of the system${advice}`, () => {
      const cause = systemError(code);
      const error = hostError(cause, 'cannot open /run/x');
      assert.deepEqual([error.code, error.message], [becomes, `cannot open /run/x: ${code}: words${advice}`]);
      assert.equal(error.cause, cause);
    });
  }

  it('is told from everything else that may be thrown', () => {
    assert.equal(systemErrorCode(systemError('ENOENT')), 'ENOENT');
    for (const value of [new Error('no code'), Object.assign(new Error(), { code: 5 }), { code: 'EIO' }, 'EIO', null]) {
      assert.equal(systemErrorCode(value), undefined);
    }
    const error = hostError('a text', 'cannot open /run/x');
    assert.deepEqual([error.code, error.message], ['HostFailed', 'cannot open /run/x: a text']);
  });
});

describe('an attempt', () => {
  it('gives what its action gives', () =>
    assert.equal(
      attempt('cannot', () => 7),
      7,
    ));

  it('says what was tried if its action fails', () => {
    const failing = (): never => {
      throw systemError('EMFILE');
    };
    assert.throws(
      () => attempt('cannot watch', failing),
      error =>
        error instanceof DynuserError && error.code === 'LimitReached' && error.message.startsWith('cannot watch: EM'),
    );
  });
});
