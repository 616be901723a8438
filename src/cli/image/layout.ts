/**
 * The files that an attached image has on this host: those that make the service manager know its units, in the order in which they are made. A
 * unit is made after its drop-ins, which set the image as its root. Pure.
 */
import { posix } from 'node:path';
import { parseUnitFile } from '../../launch/launch.ts';
import { MANAGER_TITLES, type ManagerName } from './manager-names.ts';
import type { Extension, Image, ImageContents, ImageUnit } from './read-image.ts';

/** Where attached units are kept, with what attach has written down. */
export const ATTACHED_DIRECTORY = '/etc/dynuser/attached';
export const ATTACHED_RUNTIME_DIRECTORY = '/run/dynuser/attached';
export const MANIFEST = 'manifest.json';

/** Where systemd finds attached units. */
export const SYSTEMD_DIRECTORY = '/etc/systemd/system.attached';
export const SYSTEMD_RUNTIME_DIRECTORY = '/run/systemd/system.attached';
const PORTABLES = '/etc/portables';
const PORTABLES_RUNTIME = '/run/portables';

/** One thing to make. What is shared may be there already, and is removed only if it is empty then. */
export type Entry =
  | { readonly kind: 'directory'; readonly path: string; readonly shared?: true; readonly made?: readonly string[] }
  | { readonly kind: 'file'; readonly path: string; readonly bytes: Buffer; readonly mode: number }
  | { readonly kind: 'link'; readonly path: string; readonly target: string };

export interface AttachOptions {
  readonly manager: ManagerName;
  readonly runtime: boolean;
  /** the drop-in of the profile */
  readonly profile: string;
  /** start the services at boot; with a supervisor that runs all that it finds, also at once */
  readonly enable: boolean;
  /** systemd takes an extension whose release file has another name than the image */
  readonly isForced: boolean;
  /** of templates, for managers that have none */
  readonly instances: readonly string[];
  /** the directory whose services runit or s6 runs; undefined: the services are put into none */
  readonly scanDirectory: string | undefined;
  /** whether an image is found by its name already */
  readonly isNamed: (image: Image) => boolean;
}

interface LeftOut {
  readonly unit: string;
  readonly reason: string;
}

export interface Layout {
  readonly entries: readonly Entry[];
  /** what the manager calls what it can start */
  readonly services: readonly string[];
  readonly leftOut: readonly LeftOut[];
}

export function layOut(contents: ImageContents, options: AttachOptions): Layout {
  const portables = options.runtime ? PORTABLES_RUNTIME : PORTABLES;
  // So that they are found by their names, as portablectl(1) does it.
  const unnamed = imagesOf(contents).filter(image => !options.isNamed(image));
  const links = unnamed.map(({ name, path }): Entry => ({ kind: 'link', path: `${portables}/${name}`, target: path }));
  const named = links.length === 0 ? [] : [directory(portables, true), ...links];
  const masked = contents.masked.map(unit => ({ unit, reason: 'the image masks it' }));
  const { entries, services, leftOut } =
    options.manager === 'systemd'
      ? layOutForSystemd(contents, options)
      : layOutServices(contents, options, SCRIPTS[options.manager]);
  return { entries: [...named, ...entries], services, leftOut: [...masked, ...leftOut] };
}

function imagesOf({ image, extensions }: ImageContents): Image[] {
  return [image, ...extensions.map(extension => extension.image)];
}

/** Between the parts of the name of an attachment: no image has it in its own. */
const BETWEEN = ':';

/** @returns the name of what is attached together: of the image, and of what is laid over it */
export function nameOfAttachment(contents: ImageContents): string {
  return joinNames(imagesOf(contents).map(({ name }) => name));
}

export function joinNames(names: readonly string[]): string {
  return names.join(BETWEEN);
}

export function splitName(name: string): string[] {
  return name.split(BETWEEN);
}

/** By this part of the first line of a drop-in portablectl(1) knows what is attached: the paths, of which a ":" is not part. */
export function markOf(paths: readonly string[]): string {
  const escaped = (byte: string) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`;
  return joinNames(
    paths.map(path =>
      Buffer.from(path)
        .toString('latin1')
        .replace(/[^ -~]|[\\:]/g, escaped),
    ),
  );
}

/** @returns the names of the images of a mark */
export function namesOfMark(mark: string): string[] {
  return splitName(mark).map(path => posix.basename(path));
}

function layOutForSystemd(contents: ImageContents, options: AttachOptions): Layout {
  const base = options.runtime ? SYSTEMD_RUNTIME_DIRECTORY : SYSTEMD_DIRECTORY;
  const units = contents.units.flatMap(unit => unitEntries(base, unit, contents, options));
  return {
    entries: [directory(posix.dirname(base), true), directory(base, true), ...units],
    services: contents.units.map(({ name }) => name),
    leftOut: [],
  };
}

/** The unit with its drop-ins, as portablectl(1) names them, and with its first line: it knows by that what is attached. */
function unitEntries(base: string, unit: ImageUnit, contents: ImageContents, options: AttachOptions): Entry[] {
  const { name, bytes } = unit;
  const dropIns = `${base}/${name}.d`;
  const isService = name.endsWith('.service');
  return [
    directory(dropIns),
    text(`${dropIns}/20-portable.conf`, isService ? serviceDropIn(contents, unit, options) : dropInHead(contents)),
    ...(isService ? [text(`${dropIns}/10-profile.conf`, options.profile)] : []),
    { kind: 'file', path: `${base}/${name}`, bytes, mode: 0o644 },
  ];
}

function dropInHead(contents: ImageContents): string {
  return `# Drop-in created for image '${markOf(imagesOf(contents).map(({ path }) => path))}', do not edit.\n`;
}

/** As portablectl(1) writes it. A unit of the image itself does not see what is laid over it for others. */
function serviceDropIn(contents: ImageContents, { origin }: ImageUnit, { isForced }: AttachOptions): string {
  const { image, variables, extensions } = contents;
  const isExtended = extensions.length > 0;
  return [
    dropInHead(contents),
    '[Service]',
    `${image.isDisk ? 'RootImage' : 'RootDirectory'}=${image.path.replaceAll('%', '%%')}`,
    `Environment=PORTABLE=${origin.name}`,
    `LogExtraFields=PORTABLE=${origin.name}`,
    ...(isExtended ? [`Environment=PORTABLE_ROOT=${image.name}`, `LogExtraFields=PORTABLE_ROOT=${image.name}`] : []),
    ...versionField(isExtended ? 'PORTABLE_ROOT_NAME_AND_VERSION' : 'PORTABLE_NAME_AND_VERSION', variables, ''),
    ...(origin.path === image.path ? [] : extensions.flatMap(each => extensionLines(each, isForced))),
    '',
  ].join('\n');
}

function extensionLines({ image, variables }: Extension, isForced: boolean): string[] {
  const field = 'PORTABLE_EXTENSION_NAME_AND_VERSION';
  const option = isForced ? ':x-systemd.relax-extension-release-check' : '';
  return [
    '',
    image.isDisk ? `ExtensionImages=${image.path}${option}` : `ExtensionDirectories=${image.path}`,
    `LogExtraFields=PORTABLE_EXTENSION=${image.name}`,
    ...versionField(field, variables, 'SYSEXT_'),
    ...versionField(field, variables, 'CONFEXT_'),
  ];
}

/** A field of the journal: what others wrote into a release file must not end its line, nor be a specifier. */
function versionField(field: string, variables: ReadonlyMap<string, string>, prefix: string): string[] {
  const first = (...names: readonly string[]) => names.map(name => variables.get(`${prefix}${name}`)).find(Boolean);
  const version = [first('IMAGE_ID', 'ID'), first('IMAGE_VERSION', 'VERSION_ID', 'BUILD_ID')].filter(Boolean).join('_');
  return /^[A-Za-z0-9._+~-]+$/.test(version) ? [`LogExtraFields=${field}=${version}`] : [];
}

/** A manager that reads no unit files: a service for each .service, which starts dynuser-run with the unit file. */
function layOutServices(contents: ImageContents, options: AttachOptions, scriptsOf: Script): Layout {
  const base = `${options.runtime ? ATTACHED_RUNTIME_DIRECTORY : ATTACHED_DIRECTORY}/${nameOfAttachment(contents)}`;
  const leftOut: LeftOut[] = [];
  const entries: Entry[] = [];
  const services: string[] = [];
  for (const unit of contents.units) {
    const reason = whyNot(unit, options);
    if (reason !== undefined) {
      leftOut.push({ unit: unit.name, reason });
      continue;
    }
    entries.push(...unitEntries(base, unit, contents, options));
    for (const instance of unit.name.endsWith('@.service') ? options.instances : [undefined]) {
      const name = unit.name.replace(/\.service$/, instance ?? '');
      services.push(name);
      const argument = instance === undefined ? '' : ` --instance='${instance}'`;
      const launch = `dynuser-run --unit-file='${base}/${unit.name}'${argument}`;
      entries.push(...scriptsOf(name, launch, kindOf(unit), options));
    }
  }
  return { entries, services, leftOut };
}

/** The parts of a unit that a script is made for. */
interface ServiceKind {
  readonly isOneShot: boolean;
  readonly commands: ReadonlySet<string>;
}

function kindOf({ name, bytes }: ImageUnit): ServiceKind {
  let service: ReturnType<typeof parseUnitFile>['service'] = [];
  try {
    ({ service } = parseUnitFile(bytes.toString('utf8'), name, () => {}));
  } catch {
    // A file that is not a unit file is refused with its reason, before anything is written.
  }
  return {
    isOneShot: service.findLast(each => each.name === 'Type')?.value === 'oneshot',
    commands: new Set(service.filter(({ value }) => value !== '').map(each => each.name)),
  };
}

/** @returns why a manager without unit files cannot run a unit */
function whyNot(unit: ImageUnit, { manager, instances }: AttachOptions): string | undefined {
  const title = MANAGER_TITLES[manager];
  const kind = /\.([a-z]+)$/.exec(unit.name)?.[1];
  if (kind !== 'service') {
    return `${title} has no ${kind}s`;
  }
  if (unit.name.endsWith('@.service') && instances.length === 0) {
    return `it is a template, and ${title} has none; name instances with --instance=NAME`;
  }
  if (unit.name.includes('\\')) {
    return `${title} takes no "\\" in a name`;
  }
  if (manager !== 'openrc' && kindOf(unit).isOneShot) {
    return `it runs once (Type=oneshot), and ${title} starts again what has ended`;
  }
  return undefined;
}

type Script = (name: string, launch: string, kind: ServiceKind, options: AttachOptions) => Entry[];

/** The only text of the image in a script is the name of the unit, which has no character that is special to a shell. */
const HEAD = '# Made by "dynuserctl image attach", do not edit.';

const SCRIPTS: Readonly<Record<Exclude<ManagerName, 'systemd'>, Script>> = {
  openrc: (name, launch, { isOneShot, commands }, { enable }) => {
    const supervised = `supervisor=supervise-daemon
respawn_delay=1
respawn_max=0
command=/usr/bin/dynuser-run
command_args="${launch.replace(/^dynuser-run /, '')}"`;
    const once = `start() {
	ebegin "Starting $RC_SVCNAME"
	${launch}
	eend $?
}

stop() {
	:
}`;
    const hook = (script: string, option: string): string => `\n${script}() {\n\t${launch} ${option}\n}\n`;
    const script = [
      `#!/sbin/openrc-run\n${HEAD}\n`,
      `${isOneShot ? once : supervised}\n`,
      commands.has('ExecReload') && !isOneShot ? 'extra_started_commands=reload\n' : '',
      '\ndepend() {\n\twant dynuserd\n\tafter dynuserd\n}\n',
      commands.has('ExecReload') && !isOneShot ? hook('reload', '--reload') : '',
      commands.has('ExecStop') && !isOneShot ? hook('stop_pre', '--stop') : '',
      commands.has('ExecStopPost') && !isOneShot ? hook('stop_post', '--stop-post=0') : '',
    ].join('');
    const inits = '/etc/init.d';
    const level = '/etc/runlevels/default';
    return [
      directory(inits, true),
      text(`${inits}/${name}`, script, 0o755),
      ...(enable
        ? ([
            directory(posix.dirname(level), true),
            directory(level, true),
            { kind: 'link', path: `${level}/${name}`, target: `${inits}/${name}` },
          ] as const)
        : []),
    ];
  },

  runit: (name, launch, { commands }, { scanDirectory }) => {
    const base = `/etc/sv/${name}`;
    const control = [
      ...(commands.has('ExecReload') ? [program(`${base}/control/h`, `exec ${launch} --reload`)] : []),
      ...(commands.has('ExecStop') ? [program(`${base}/control/t`, `exec ${launch} --stop`)] : []),
    ];
    return [
      directory('/etc/sv', true),
      { kind: 'directory', path: base, made: ['supervise'] },
      ...(control.length === 0 ? [] : [directory(`${base}/control`), ...control]),
      // An exit status, or -1 and the signal (runsv(8)).
      ...(commands.has('ExecStopPost') ? [stopPost(`${base}/finish`, launch, '-1')] : []),
      program(`${base}/run`, `exec 2>&1\nexec ${launch}`),
      ...scanned(scanDirectory, name, base),
    ];
  },

  s6: (name, launch, { commands }, { scanDirectory }) => {
    const base = `/etc/s6/sv/${name}`;
    return [
      directory('/etc/s6', true),
      directory('/etc/s6/sv', true),
      { kind: 'directory', path: base, made: ['supervise', 'event'] },
      // s6-rc-compile(1) takes the same directory as a source.
      text(`${base}/type`, 'longrun\n'),
      // s6-supervise has no command to stop a service by; docs/supervisors.md has the same.
      ...(commands.has('ExecStop')
        ? [
            directory(`${base}/data`),
            program(`${base}/data/stop`, `cd "\${0%/*}/.." && s6-svc -O . && exec ${launch} --stop`),
          ]
        : []),
      // An exit status, or 256 and the signal (s6-supervise).
      ...(commands.has('ExecStopPost') ? [stopPost(`${base}/finish`, launch, '256')] : []),
      program(`${base}/run`, `exec 2>&1\nexec ${launch}`),
      ...scanned(scanDirectory, name, base),
    ];
  },
};

/** A supervisor runs what its directory leads to. */
function scanned(scanDirectory: string | undefined, name: string, target: string): Entry[] {
  return scanDirectory === undefined ? [] : [{ kind: 'link', path: `${scanDirectory}/${name}`, target }];
}

function stopPost(path: string, launch: string, signalled: string): Entry {
  const how = `how=$1\n[ "$how" != ${signalled} ] || how=$(kill -l "$2")`;
  return program(path, `${how}\nexec ${launch} --stop-post="$how"`);
}

function program(path: string, script: string): Entry {
  return text(path, `#!/bin/sh\n${HEAD}\n${script}\n`, 0o755);
}

function text(path: string, content: string, mode = 0o644): Entry {
  return { kind: 'file', path, bytes: Buffer.from(content), mode };
}

function directory(path: string, shared = false): Entry {
  return shared ? { kind: 'directory', path, shared } : { kind: 'directory', path };
}
