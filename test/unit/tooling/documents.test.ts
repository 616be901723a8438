/** Manual pages and completions: without a warning, and with everything that there is to document. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { COMMAND_TABLE } from '../../../src/cli/commands.ts';
import { CONFIG_KEYS } from '../../../src/daemon/config.ts';
import { KEYS, parseConfig } from '../../../src/fleetd/config.ts';
import { PROPERTY_NAMES } from '../../../src/launch/properties/table.ts';
import { completions, manualPages } from '../../../src/tooling/documents.ts';
import { readSource } from '../../support/sources.ts';

const { commands: COMMANDS, options: GLOBAL_OPTIONS } = COMMAND_TABLE;
let directory = '';
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'dynuser-documents-'));
});
after(() => rmSync(directory, { recursive: true }));

const PAGES = new Map(manualPages().map(({ path, text }) => [path.replace(/^.*\//, ''), text]));

function page(name: string): string {
  return PAGES.get(name) ?? assert.fail(`there is no page ${name}`);
}

/** What the items of a page's lists begin with, by the macro. */
function items(text: string, macro: string): string[] {
  const lines = [...text.matchAll(new RegExp(`^\\.It ${macro} (.*)$`, 'gm'))].map(([, words = '']) => words);
  return lines.flatMap(words => words.replaceAll('\\-', '-').split(/ [,|] /)).map(words => words.replace(/ .*$/, ''));
}

/** @returns what a program says about a file, '' where that is nothing; undefined where this machine does not have it */
function complaints(argv: readonly [string, ...string[]], name: string, text: string): string | undefined {
  const path = join(directory, name);
  writeFileSync(path, text);
  const { error, status, stdout, stderr } = spawnSync(argv[0], [...argv.slice(1), path], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  if (error !== undefined && 'code' in error && error.code === 'ENOENT') {
    return undefined;
  }
  return status === 0 ? stdout + stderr : `${argv[0]} gave ${status}: ${stdout}${stderr}`;
}

describe('manual pages', () => {
  it('there is one for each program, the configuration and the module', () => {
    const paths = manualPages().map(({ path }) => path.replace('usr/share/man/', ''));
    const expected = [
      'man1/dynuser-run.1',
      'man1/dynuserctl.1',
      'man5/dynuserd.conf.5',
      'man8/dynuser-fleetd.8',
      'man8/dynuserd.8',
      'man8/libnss_dynuser.8',
    ];
    assert.deepEqual(
      expected.filter(path => !paths.includes(path)),
      [],
    );
  });

  for (const [name, text] of PAGES) {
    it(`${name} has what a page has, and no fault that groff or mandoc see`, () => {
      assert.match(text, /^\.Dd .*\n\.Dt [A-Z_.-]+ \d\n\.Os dynuser\n\.Sh NAME\n/);
      assert.deepEqual(
        text.split('\n').filter(line => line.length > 80 && !line.startsWith('.')),
        [],
      );
      assert.equal(complaints(['groff', '-ww', '-z', '-mandoc', '-Tutf8'], name, text), '');
      // The other reader of manual pages, where it is there.
      assert.equal(complaints(['mandoc', '-Tlint', '-Wwarning'], name, text) ?? '', '');
    });
  }

  it('dynuserctl(1) has every command and option of the table', () => {
    const text = page('dynuserctl.1');
    const options = [...GLOBAL_OPTIONS, ...COMMANDS.flatMap(command => command.options)];
    assert.deepEqual(
      items(text, 'Fl').sort(),
      options.flatMap(({ name, letter }) => [`-${name}`, ...(letter === undefined ? [] : [letter])]).sort(),
    );
    assert.ok(options.length > 10);
    const verbs = [...text.matchAll(/^\.Ss (\S+)/gm)].map(([, verb]) => verb);
    assert.deepEqual(
      verbs,
      COMMANDS.map(({ verb }) => verb),
    );
  });

  it('dynuserd.conf(5) has every key of the configuration', () => {
    assert.deepEqual(items(page('dynuserd.conf.5'), 'Cm').sort(), [...CONFIG_KEYS].sort());
  });

  for (const name of ['dynuserd', 'dynuser-fleetd']) {
    it(`${name}(8) has every option of the program`, () => {
      const program = fileURLToPath(new URL(`../../../src/bin/${name}.js`, import.meta.url));
      const help = execFileSync(process.execPath, [program, '--help'], { encoding: 'utf8' });
      const options = [...help.matchAll(/^ {2}-(-[a-z-]+)/gm)].map(([, option]) => option);
      assert.ok(options.length > 2);
      assert.deepEqual(items(page(`${name}.8`), 'Fl').sort(), options.sort());
    });
  }

  it('dynuser-fleetd(8) has every key of its configuration, and so has the example', () => {
    assert.deepEqual(items(page('dynuser-fleetd.8'), 'Cm').sort(), [...KEYS].sort());
    const example = readSource('packaging/examples/fleetd.conf');
    const lines = [...example.matchAll(/^#(\w+)=.*$/gm)].map(([line]) => line.slice(1));
    assert.equal(parseConfig(lines.join('\n'), 'example', '/credentials').fleet, 'main');
    assert.deepEqual(lines.map(line => line.replace(/=.*/, '')).sort(), [...KEYS].sort());
  });

  it('dynuser-run(1) has every option of its own', () => {
    const table = readSource('native/run/cli/options.c');
    const own = [...table.matchAll(/^\t\{ "([a-z-]+)", '.*', (OPTION_\w+),/gm)].filter(
      // An option of systemd-run of which one value alone is taken, the one that changes nothing.
      ([, , code]) => code !== 'OPTION_NO_EXPANSION',
    );
    assert.ok(own.length > 10);
    const text = page('dynuser-run.1');
    const listed = [...text.matchAll(/^\.It .*?Fl (\\-[a-z\\-]+)/gm)].map(([, name = '']) => name.replaceAll('\\', ''));
    assert.deepEqual(listed.sort(), own.map(([, name]) => `-${name}`).sort());
  });

  it('dynuser-run(1) has the list of properties, and says in a few lines what each does', () => {
    const entries = [...page('dynuser-run.1').matchAll(/^\.It (Cm \w+ Ns =(?: , Cm \w+ Ns =)*)\n((?:[^.\n].*\n)+)/gm)];
    assert.deepEqual(
      entries.flatMap(([, names = '']) => [...names.matchAll(/Cm (\w+)/g)].map(([, name]) => name)).sort(),
      [...PROPERTY_NAMES].sort(),
    );
    assert.deepEqual(
      entries.map(([, , text = '']) => text).filter(text => text.length > 240 || !text.endsWith('.\n')),
      [],
    );
  });

  it('dynuser-run(1) has every option of systemd-run that it takes or refuses', () => {
    const text = page('dynuser-run.1');
    const table = readSource('native/run/cli/options.c');
    for (const [macro, introduction] of [
      ['IGNORED', 'change nothing here are accepted'],
      ['REFUSED', 'These are refused'],
    ] as const) {
      const names = [...table.matchAll(new RegExp(`^\\t${macro}\\("([a-z-]+)"`, 'gm'))].map(([, name]) => `-${name}`);
      assert.ok(names.length > 10);
      const paragraph = text.slice(text.indexOf(introduction)).split('\n.Pp\n', 1)[0] ?? '';
      const listed = [...paragraph.matchAll(/^\.Fl (\\-[a-z\\-]+)/gm)].map(([, name = '']) =>
        name.replaceAll('\\', ''),
      );
      assert.deepEqual(listed.sort(), names.sort(), macro);
    }
  });

  it('libnss_dynuser(8) has every variable that the module reads', () => {
    const header = readSource('native/include/dynuser.h');
    const variables = [...header.matchAll(/^#define DYNUSER_ENV_\w+ "(\w+)"$/gm)].map(([, name]) => name);
    assert.ok(variables.length > 1);
    const ofSystemd = [...readSource('native/nss/sibling.c').matchAll(/^#define \w+ "(SYSTEMD_\w+)"$/gm)].map(
      ([, name]) => name,
    );
    assert.deepEqual(items(page('libnss_dynuser.8'), 'Ev').sort(), [...variables, ...ofSystemd].sort());
  });
});

describe('completions', () => {
  const [bash, zsh, fish, launcherBash, launcherZsh, launcherFish, daemonBash, daemonZsh, daemonFish] =
    completions('usr/share/zsh/site-functions');

  /** @returns what bash offers for a command line, whose last word is being written */
  function offered(...words: readonly string[]): string[] {
    // As readline has it: "=" is a word of its own (COMP_WORDBREAKS), and dynuserctl is the program of this host.
    const script = `compopt() { :; }; dynuserctl() { printf '%s\\n' '1 web' '1 web' '2 $(exit)'; }
${bash?.text}
COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _dynuserctl; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const text = execFileSync('bash', ['-c', script, 'bash', 'dynuserctl', ...words], { encoding: 'utf8' });
    return text.split('\n').filter(line => line !== '');
  }

  const asTyped = (options: typeof GLOBAL_OPTIONS) =>
    options.map(({ name, value }) => `--${name}${value === undefined ? '' : '='}`);

  it('bash: the commands, the options of each, and their values', () => {
    assert.deepEqual(
      offered(''),
      COMMANDS.map(({ verb }) => verb),
    );
    assert.deepEqual(offered('-'), asTyped(GLOBAL_OPTIONS));
    for (const { verb, options } of COMMANDS) {
      assert.deepEqual(offered(verb, '-'), asTyped([...options, ...GLOBAL_OPTIONS]), verb);
    }
    assert.deepEqual(offered('acq'), ['acquire']);
    assert.deepEqual(offered('list', '--json', '=', 'p'), ['pretty']);
    assert.deepEqual(offered('list', '--json', '='), ['pretty', 'short', 'off']);
    assert.deepEqual(offered('list', '--json', 's'), ['short']);
    assert.deepEqual(offered('acquire', '--user', '='), []);
  });

  it('bash: a value is not a command, and users that live are offered where one is meant', () => {
    assert.deepEqual(offered('--json', '=', 'short', 'sho'), ['show']);
    assert.deepEqual(offered('--json', 'short', 'rele'), ['release']);
    assert.deepEqual(offered('show', ''), ['web']);
    assert.deepEqual(offered('release', '--all', 'w'), ['web']);
    assert.deepEqual(offered('acquire', ''), []);
  });

  it('bash: files if a path is meant, and nothing if another value is', () => {
    for (const option of ['--file', '--html']) {
      assert.deepEqual(offered('history', option, '=', '/etc/host'), offered('history', option, '/etc/host'));
      assert.ok(offered('history', option, '=', '/etc/host').includes('/etc/hosts'), option);
    }
    assert.deepEqual(offered('history', '--at', '=', '/etc/host'), []);
  });

  it('zsh and fish have every command and option, and take the text', () => {
    for (const [shell, text = ''] of [
      ['zsh', zsh?.text],
      ['fish', fish?.text],
    ] as const) {
      const options = COMMANDS.flatMap(({ options: own }) => own);
      const missing = [...options, ...GLOBAL_OPTIONS].filter(({ name, help }) => {
        return !text.includes(shell === 'zsh' ? `--${name}` : `-l ${name} `) || !text.includes(help.slice(0, 12));
      });
      assert.deepEqual(missing, [], shell);
      assert.deepEqual(
        COMMANDS.filter(({ verb }) => !text.includes(verb)),
        [],
        shell,
      );
      assert.equal(complaints([shell, '-n'], `completion.${shell}`, text), '');
    }
  });

  it('fish: the commands, and the options and values of each', () => {
    const path = join(directory, 'dynuserctl.fish');
    writeFileSync(path, fish?.text ?? '');
    const offers = (line: string): string[] => {
      const script = `function dynuserctl; echo 1 web; echo '2 $(exit)'; end; source ${path}; complete -C '${line}'`;
      const text = execFileSync('fish', ['--no-config', '-c', script], { encoding: 'utf8' });
      return text
        .split('\n')
        .map(row => row.replace(/\t.*/, ''))
        .filter(word => word !== '');
    };
    assert.deepEqual(offers('dynuserctl '), COMMANDS.map(({ verb }) => verb).sort());
    assert.deepEqual(offers('dynuserctl list --json='), ['--json=off', '--json=pretty', '--json=short']);
    assert.deepEqual(offers('dynuserctl release --al'), ['--all']);
    assert.deepEqual(offers('dynuserctl show --al'), []);
    assert.deepEqual(offers('dynuserctl show '), ['web']);
  });

  it('dynuser-run, bash: options, properties, and the command', () => {
    const of = (...words: readonly string[]): string[] => {
      const script = `compopt() { :; }
${launcherBash?.text}
COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _dynuser_run; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const text = execFileSync('bash', ['-c', script, 'bash', 'dynuser-run', ...words], { encoding: 'utf8' });
      return text.split('\n').filter(line => line !== '');
    };
    assert.deepEqual(of('-p', 'PrivateU'), ['PrivateUsers=']);
    assert.deepEqual(of('--property', '=', 'UM'), ['UMask=']);
    assert.equal(of('-p', '').length, PROPERTY_NAMES.length);
    assert.deepEqual(of('-p', 'UMask', '=', ''), []);
    assert.deepEqual(of('-p', 'UMask', '=', '077', '--unt'), ['--untrusted']);
    assert.deepEqual(of('--isolation', '=', 'b'), ['best-effort']);
    assert.deepEqual(of('--unit', 'x', '--inst'), ['--instance=']);
    assert.deepEqual(of('--unit', ''), []);
    assert.ok(of('-p', 'UMask', '=', '077', 'tru').includes('true'));
    assert.ok(of('--', 'tru').includes('true'));
    assert.deepEqual(of('true', '--unt'), []);
  });

  it('dynuser-run, zsh and fish: every option and property', () => {
    for (const [shell, text = ''] of [
      ['zsh', launcherZsh?.text],
      ['fish', launcherFish?.text],
    ] as const) {
      for (const word of [...PROPERTY_NAMES, 'clear-environment', 'best-effort']) {
        assert.ok(text.includes(word), `${shell}: ${word}`);
      }
      assert.equal(complaints([shell, '-n'], `launcher.${shell}`, text), '');
    }
    const path = join(directory, 'dynuser-run.fish');
    writeFileSync(path, launcherFish?.text ?? '');
    const offers = (line: string): string[] =>
      execFileSync('fish', ['--no-config', '-c', `source ${path}; complete -C '${line}'`], { encoding: 'utf8' })
        .trim()
        .split('\n');
    assert.deepEqual(offers('dynuser-run -p PrivateU'), ['PrivateUsers=']);
    assert.deepEqual(offers('dynuser-run --property=UM'), ['--property=UMask=']);
    assert.deepEqual(offers('dynuser-run --isolation b'), ['best-effort']);
  });

  it('dynuserd: its options, and files where one is meant', () => {
    const options = items(page('dynuserd.8'), 'Fl').map(name => `-${name}`);
    const of = (...words: readonly string[]): string[] => {
      const script = `compopt() { :; }
${daemonBash?.text}
COMP_WORDS=("$@"); COMP_CWORD=$((\${#COMP_WORDS[@]} - 1)); _dynuserd; printf '%s\\n' "\${COMPREPLY[@]}"`;
      const text = execFileSync('bash', ['-c', script, 'bash', 'dynuserd', ...words], { encoding: 'utf8' });
      return text.split('\n').filter(line => line !== '');
    };
    assert.deepEqual(
      of('-')
        .map(word => word.replace('=', ''))
        .sort(),
      options.sort(),
    );
    assert.deepEqual(of('--config', '=', '/etc/host'), of('--config', '/etc/host'));
    assert.ok(of('--config', '=', '/etc/host').includes('/etc/hosts'));
    for (const [shell, text = ''] of [
      ['zsh', daemonZsh?.text],
      ['fish', daemonFish?.text],
    ] as const) {
      assert.deepEqual(
        options.filter(option => !text.includes(shell === 'zsh' ? option : `-l ${option.slice(2)} `)),
        [],
        shell,
      );
      assert.equal(complaints([shell, '-n'], `daemon.${shell}`, text), '');
    }
  });
});
