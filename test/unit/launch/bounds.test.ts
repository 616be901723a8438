// biome-ignore-all lint/suspicious/noTemplateCurlyInString: these are variables of unit files
/** The bounds of a launch, each at its edge: as many as it allows are taken, and one more is refused. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LaunchAnswer } from '../../../src/api/generated/io-dynuser-allocator.ts';
import { resolveLaunch } from '../../../src/launch/launch.ts';
import { planOf, readIn, refuses, requestOf, resolvedOf, resolvedOfUnit } from './launches.ts';

/** @param make makes a launch with a count of something */
function bounded(most: number, make: (count: number) => unknown, field: string, what: RegExp): void {
  make(most);
  const words = new RegExp(`^too many ${what.source}; use at most ${most}$`);
  refuses(() => make(most + 1), field, words, 'LimitReached');
}

const numbered = (count: number, word: string): string[] => Array.from({ length: count }, (_, at) => `${word}${at}`);

describe('what a launch may have of', () => {
  it('entries of a list, in one value and in several', () => {
    bounded(1_024, count => resolvedOf([`ReadOnlyPaths=${'/x '.repeat(count)}`]), 'ReadOnlyPaths', /list entries/);
    bounded(1_024, count => resolvedOf(Array(count).fill('ReadOnlyPaths=/x')), 'ReadOnlyPaths', /list entries/);
    bounded(1_024, count => resolvedOf([`BindPaths=${'/x:/y '.repeat(count)}`]), 'BindPaths', /list entries/);
    assert.equal(resolvedOf([`StateDirectory=${numbered(1_024, 'd').join(' ')}`]).directories.state.at(-1), 'd1023');
  });

  it('parts of a bind', () => {
    refuses(
      () => resolvedOf([`BindPaths=${'/a:'.repeat(1_025)}`]),
      'BindPaths',
      /parts of a path.*1024/,
      'LimitReached',
    );
  });

  it('properties, and characters of them', () => {
    bounded(4_096, count => resolvedOf(Array(count).fill('User=x')), 'properties', /properties/);
    const short = 'X-A='.length - 1;
    const value = (characters: number) => [`X-A=${'x'.repeat(characters - short)}`];
    bounded(1_048_576, count => resolvedOf(value(count)), 'properties', /characters in all properties/);
    // Names and values of all of them add up.
    bounded(
      1_048_576,
      count => resolvedOf([...value(count - 10), 'X-B=1234567']),
      'properties',
      /characters in all properties/,
    );
  });

  it('commands, in one value and in all of a unit file', () => {
    const oneshot = (...lines: string[]) => resolvedOfUnit(['Type=oneshot', ...lines]);
    const field = '/srv/wuff.service:3: ExecStart';
    bounded(2_048, count => oneshot(`ExecStart=${Array(count).fill('/x').join(' ; ')}`), field, /commands/);
    const before = Array(2_000).fill('ExecStartPre=/y');
    bounded(2_048, count => oneshot(...before, ...Array(count - 2_000).fill('ExecStart=/x')), 'ExecStart', /commands/);
    assert.equal(oneshot(...before, ...Array(48).fill('ExecStart=/x')).commands?.length, 2_048);
  });

  it('words of a command line, as it is written and as its variables make it', () => {
    const written = (count: number) => resolvedOfUnit([`ExecStart=/x${' y'.repeat(count - 1)}`]);
    bounded(4_096, written, '/srv/wuff.service:2: ExecStart', /words in a command line/);
    const made = (count: number) => {
      const lines = [`Environment="A=${'y '.repeat(count - 1)}"`, 'ExecStart=/x $A'];
      return planOf(
        [],
        {},
        { unitFile: '/srv/x.service' },
        { files: { '/srv/x.service': `[Service]\n${lines.join('\n')}` } },
      );
    };
    assert.equal(made(4_096).commands?.[0]?.arguments.length, 4_096);
    bounded(4_096, made, 'ExecStart', /words in a command line/);
  });

  it('characters that variables make of command lines', () => {
    const world = (lines: readonly string[]) => ({ files: { '/srv/x.service': ['[Service]', ...lines].join('\n') } });
    const unit = (...lines: string[]) => planOf([], {}, { unitFile: '/srv/x.service' }, world(lines));
    const times = 4_194_304 / 4_096;
    const variable = `Environment=A=${'x'.repeat(4_096)} B=x`;
    // argv[0] counts, too.
    const oneWord = (more: string) =>
      unit(variable, `ExecStart=/${'x'.repeat(127)} ${'${A}'.repeat(times - 1)} ${'y'.repeat(4_096 - 128)}${more}`);
    assert.equal(oneWord('').commands?.[0]?.arguments.join('').length, 4_194_304);
    refuses(() => oneWord('y'), 'ExecStart', /too many characters in all command lines.*4194304/, 'LimitReached');
    const several = (more: string) =>
      unit(
        'Type=oneshot',
        variable,
        ...Array(2).fill(
          `ExecStart=/${'x'.repeat(127)} ${'${A}'.repeat(times / 2 - 1)} ${'y'.repeat(4_096 - 128)}${more}`,
        ),
      );
    several('');
    refuses(() => several('y'), 'ExecStart', /characters in all command lines/, 'LimitReached');
    refuses(
      () => unit(variable, `ExecStart=/x ${'${A}'.repeat(times)}\${B}`),
      'ExecStart',
      /characters/,
      'LimitReached',
    );
  });

  it('characters that specifiers make', () => {
    const unit = `${'u'.repeat(120)}.service`;
    const count = 4_194_304 / unit.length;
    assert.equal(count, 32_768);
    const names = (more: number) => resolvedOf([`Environment=A=${'%n'.repeat(count)}${'%%'.repeat(more)}`], { unit });
    names(0);
    refuses(() => names(1), 'Environment', /too many characters out of specifiers.*4194304/, 'LimitReached');
  });

  it('variables, of one source and of all', () => {
    const variables = (count: number) => numbered(count, 'A').map(name => `${name}=`);
    bounded(4_096, count => resolvedOf([], { setEnvironment: variables(count) }), 'setEnvironment', /variables/);
    const both = (count: number) => resolvedOf(['Environment=X=1 Y=2'], { setEnvironment: variables(count - 2) });
    bounded(4_096, both, 'setEnvironment', /variables/);
    const ofFile = (count: number) =>
      resolvedOf(['EnvironmentFile=/e'], {}, { files: { '/e': variables(count).join('\n') } });
    bounded(4_096, ofFile, 'EnvironmentFile', /variables of environment files/);
  });

  it('answers, and characters of them', () => {
    const answer: LaunchAnswer = { kind: 'file', path: '/x', found: true, text: '' };
    const launch = (answers: readonly LaunchAnswer[]) => resolveLaunch(requestOf([]), answers);
    bounded(4_096, count => launch(Array(count).fill(answer)), 'answers', /answers/);
    const texts = (count: number) =>
      launch([
        { ...answer, text: 'x'.repeat(count - 5) },
        { ...answer, text: 'xxxxx' },
        { kind: 'directory', path: '/', found: true, names: ['x'] },
      ]);
    bounded(1_048_576, texts, 'answers', /characters in all files/);
  });

  it('files to look at in one round', () => {
    const files = (count: number) => numbered(count, '/x').map(path => `EnvironmentFile=${path}`);
    const outcome = resolveLaunch(requestOf(files(1_000)), []);
    assert.ok('questions' in outcome);
    assert.equal(outcome.questions.length, 1_000);
    refuses(
      () => resolveLaunch(requestOf(files(1_001)), []),
      '/x1000',
      /too many files to look at.*1000$/,
      'LimitReached',
    );
  });

  it('bytes of a path, and of each part of it', () => {
    const part = 'x'.repeat(255);
    const path = (bytes: number) => `/${'x/'.repeat(2_047)}`.slice(0, bytes - 1).concat('y');
    assert.equal(path(4_095).length, 4_095);
    resolvedOf([`ReadOnlyPaths=/${part}/${part}`]);
    resolvedOf([`ReadOnlyPaths=${path(4_095)}`]);
    // Bytes, not characters.
    resolvedOf([`ReadOnlyPaths=/${'é'.repeat(127)}`]);
    for (const value of [`/${part}x`, path(4_096), `/${'é'.repeat(128)}`]) {
      refuses(() => resolvedOf([`ReadOnlyPaths=${value}`]), 'ReadOnlyPaths', /at most 4095 bytes, 255 between slashes/);
    }
  });
});

describe('what a message shows of a value', () => {
  it('is 128 characters, escaped', () => {
    const shown = (value: string, words: string) =>
      refuses(() => resolvedOf([`UMask=${value}`]), 'UMask', new RegExp(`not a mode: ${words};`));
    shown('x'.repeat(128), `"x{128}"`);
    shown('x'.repeat(129), `"x{128}…"`);
    shown('a\x1bb"', '"a\\\\u001bb\\\\""');
  });

  it('is 32 properties that are refused', () => {
    const unknown = (count: number) => () => resolvedOf(numbered(count, 'Qqqqqq').map(name => `${name}=x`));
    refuses(unknown(32), 'properties', /"Qqqqqq31"; use/);
    refuses(unknown(33), 'properties', /"Qqqqqq31" and 1 more; use/);
  });
});

it('files that are there are read whole, whatever their number', () => {
  const paths = numbered(1_000, '/e');
  const files = Object.fromEntries(paths.map(path => [path, `V${path.slice(2)}=1`]));
  const { resolved } = readIn({ files }, requestOf(paths.map(path => `EnvironmentFile=${path}`)));
  assert.equal(resolved.environment.assignments.length, 1_000);
});
