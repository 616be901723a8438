/**
 * dynuserctl image inspect|attach|reattach|detach|is-attached|list: portable services, as portablectl(1) has them, on hosts with systemd
 * and without. What is attached is files, and the service manager starts them; the daemon is asked for no more than the mount of a disk
 * image.
 */
import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { LaunchAnswer, LaunchQuestion } from '../../api/generated/io-dynuser-allocator.ts';
import { outsideCommands, parseUnitFile } from '../../launch/launch.ts';
import { chooseAction, IMAGE_ACTIONS } from '../actions.ts';
import { attempt } from '../attempt.ts';
import type { Handler, Invocation, OptionValues } from '../command.ts';
import { lastValue } from '../command-line.ts';
import { CommandFailure, type ExitStatus, onFailure, problemAtPath, usageFailure } from '../failure.ts';
import { isThere } from '../host.ts';
import {
  type Attachment,
  attachmentsOf,
  changesOf,
  entriesOf,
  isGone,
  listAttachments,
  lockAttachments,
  makeAll,
  removeAll,
  removeLinks,
} from '../image/attachments.ts';
import { placesOfAttachment, removePlace } from '../image/clean.ts';
import {
  type AttachOptions,
  type Entry,
  joinNames,
  type Layout,
  layOut,
  markOf,
  nameOfAttachment,
  namesOfMark,
  SYSTEMD_DIRECTORY,
  SYSTEMD_RUNTIME_DIRECTORY,
  splitName,
} from '../image/layout.ts';
import { MANAGER_TITLES, MANAGERS, type ManagerName } from '../image/manager-names.ts';
import { detectManager, MANAGER_OF, scanDirectoryOf } from '../image/managers.ts';
import { ownProfile, PROFILES } from '../image/profiles.ts';
import {
  DISK_SUFFIX,
  findExtensions,
  findImage,
  IMAGE_DIRECTORIES,
  type Image,
  type ImageContents,
  readImage,
  withoutSuffix,
} from '../image/read-image.ts';
import { judgeUnitFile } from '../judge-unit.ts';
import { answerQuestion } from '../launch-answers.ts';
import { compareTexts, listLeases } from '../leases.ts';
import { IMAGES_LISTED_MAX } from '../limits.ts';
import { print, showText } from '../print.ts';
import type { ProcessIo } from '../process-io.ts';
import {
  type InspectedImage,
  type InspectedUnit,
  type ListedImage,
  renderContents,
  renderImage,
  renderImages,
} from '../render/image.ts';
import { printable } from '../render/text.ts';
import { withClient } from '../with-client.ts';

type Action = (operands: readonly string[], invocation: Invocation, io: ProcessIo) => Promise<ExitStatus>;

const RUN: Readonly<Record<keyof typeof IMAGE_ACTIONS, Action>> = {
  inspect,
  attach,
  reattach,
  detach,
  'is-attached': isAttached,
  list,
};

export const image: Handler = async (invocation, io) => {
  const { action, operands } = chooseAction('image', IMAGE_ACTIONS, invocation);
  try {
    return await RUN[action](operands, invocation, io);
  } catch (error) {
    // Of the host's files: a read-only /etc, a full disk.
    if (error instanceof Error && 'code' in error) {
      throw new CommandFailure(`image ${action}: ${problemAtPath(error)}`, { cause: error });
    }
    throw error;
  }
};

async function inspect(operands: readonly string[], invocation: Invocation, io: ProcessIo): Promise<ExitStatus> {
  const manager = managerOf(invocation.options) ?? 'systemd';
  const contents = await contentsOf(imagesOf(operands, invocation.options), operands, invocation.options, manager);
  if (invocation.options.has('cat')) {
    await showText(renderContents(contents), invocation, io);
    return 0;
  }
  // What would be made is the same wherever the supervisor's directory is.
  const request = { ...attachOptions(manager, invocation.options), scanDirectory: undefined };
  const layout = layOut(contents, request);
  const units = inspectUnits(contents, layout, manager);
  const { variables, image: which, extensions, prefixes } = contents;
  const inspected: InspectedImage = {
    image: which.path,
    name: which.name,
    extensions: extensions.map(each => each.image.path),
    service: variables.get('PORTABLE_PRETTY_NAME') ?? null,
    system: variables.get('PRETTY_NAME') ?? variables.get('ID') ?? null,
    prefixes,
    manager,
    units,
  };
  await print(inspected, invocation, io, renderImage);
  return units.some(({ verdict }) => verdict === 'refused') ? 1 : 0;
}

async function attach(operands: readonly string[], { options }: Invocation, io: ProcessIo): Promise<ExitStatus> {
  needRoot('attach');
  const images = imagesOf(operands, options);
  const manager = neededManager(options);
  const contents = await contentsOf(images, operands, options, manager);
  if (options.has('runtime') && manager !== 'systemd') {
    throw new CommandFailure(
      `--runtime: ${MANAGER_TITLES[manager]} has no place for services until the next boot; leave it out`,
    );
  }
  // A supervisor of directories runs what is in its own, at once and at boot.
  const scans = MANAGER_OF[manager].scanDirectories.length > 0;
  const enable = options.has('enable') || (scans && options.has('now'));
  const scanDirectory = enable ? scanDirectoryOf(manager) : undefined;
  const request = { ...attachOptions(manager, options), enable, scanDirectory };
  const layout = layOut(contents, request);
  checkUnits(contents, layout, manager);
  using _lock = lockAttachments();
  const name = nameOfAttachment(contents);
  forget(name);
  const [present] = attachmentsOf(name);
  if (present !== undefined) {
    const words = `it is attached already (${printable(present.image)}); "dynuserctl image detach ${name}" detaches it`;
    throw new CommandFailure(`${name}: ${words}`);
  }
  if (manager === 'systemd' && !request.isForced) {
    await checkFree(name, layout);
  }
  make(contents, request, layout, options);
  await conclude(name, request, layout, options, io);
  return 0;
}

/** As portablectl(1): a unit that runs already is another one, and of two unit files with one name only the first counts. @throws CommandFailure */
async function checkFree(image: string, { services }: Layout): Promise<void> {
  const { systemd } = MANAGER_OF;
  const running = systemd.isRunning() ? await systemd.running(services) : [];
  if (running.length > 0) {
    throw new CommandFailure(`${image}: ${runWords(running)} already; stop it first, or use --force`);
  }
  const paths = services.flatMap(unit => HOST_UNITS.map(directory => `${directory}/${unit}`));
  const present = paths.find(isThere);
  if (present !== undefined) {
    const words =
      'a unit of this name is on this host already, and not of this image; move it away first, or use --force';
    throw new CommandFailure(`${present}: ${words}`);
  }
}

/** @returns such as "web.service runs" */
function runWords(running: readonly string[]): string {
  return `${running.map(printable).join(', ')} ${running.length === 1 ? 'runs' : 'run'}`;
}

/** Makes what attach makes. @throws CommandFailure after which nothing of it is left */
function make(
  contents: ImageContents,
  { manager, runtime, isForced: replaces }: AttachOptions,
  { entries, services }: Layout,
  options: OptionValues,
): void {
  const profile = lastValue(options, 'profile') ?? PROFILES[0];
  const extensions = contents.extensions.map(each => each.image.path);
  const attachment = { name: nameOfAttachment(contents), image: contents.image.path, extensions };
  makeAll({ ...attachment, manager, profile, runtime, services }, entries, replaces);
}

/**
 * Puts an image in the place of the one that is attached under the same name, up to its first "_". systemd and OpenRC know a service by its
 * name, and leave one that runs alone; what runit and s6 know is a directory, which goes.
 */
async function reattach(operands: readonly string[], { options }: Invocation, io: ProcessIo): Promise<ExitStatus> {
  needRoot('reattach');
  const images = imagesOf(operands, options);
  using _lock = lockAttachments();
  const former = formerOf(joinNames(images.map(each => each.name)), options);
  checkUnchanged(former);
  const { manager, runtime } = former;
  const contents = await contentsOf(images, operands, options, manager);
  const name = nameOfAttachment(contents);
  const own = MANAGER_OF[manager];
  const formerDirectory = scanDirectoryWith(former);
  const scans = own.scanDirectories.length > 0;
  const isStarted = options.has('enable') || options.has('now');
  const scanDirectory = formerDirectory ?? (scans && isStarted ? scanDirectoryOf(manager) : undefined);
  const made = former.made.map(({ path }) => path);
  const request: AttachOptions = {
    ...attachOptions(manager, options, made),
    ...{ runtime, enable: options.has('enable') || scanDirectory !== undefined, scanDirectory },
  };
  const layout = layOut(contents, request);
  checkUnits(contents, layout, manager);
  const ending = former.services.filter(name => scans || !layout.services.includes(name));
  const staying = former.services.filter(name => !ending.includes(name));
  const isTold = own.isRunning();
  const place = { runtime, scanDirectory: formerDirectory };
  if (isTold && ending.length > 0) {
    await stopAll({ ...former, services: ending }, options);
  }
  const restarted = isTold && options.has('now') && staying.length > 0 ? await own.running(staying) : [];
  const before = entriesOf(former);
  if (scans) {
    removeLinks(former);
  }
  if (isTold && ending.length > 0) {
    await own.release?.(ending, place);
  }
  removeAll(former);
  try {
    make(contents, request, layout, options);
  } catch (error) {
    makeAll(former, before);
    throw error;
  }
  await conclude(`${name} in the place of ${former.name}`, request, layout, options, io, restarted);
  return 0;
}

/** @returns what an image comes in the place of. @throws CommandFailure if that is nothing, or not certain */
function formerOf(name: string, options: OptionValues): Attachment {
  const family = (each: string): string =>
    joinNames(splitName(each).map(part => withoutSuffix(part).replace(/_.*$/s, '')));
  const found = listAttachments().filter(
    each =>
      each.complete && !isGone(each) && family(each.name) === family(name) && (each.runtime || !options.has('runtime')),
  );
  const [former, another] = found.some(each => each.name === name) ? found.filter(each => each.name === name) : found;
  if (former === undefined) {
    throw new CommandFailure(`${name}: no image of this name, up to the first "_", is attached; use attach`);
  }
  if (another !== undefined) {
    const words = `${found.map(each => each.name).join(', ')} are attached, and it could come in the place of each`;
    throw new CommandFailure(`${name}: ${words}; detach all but one`);
  }
  return former;
}

async function isAttached(operands: readonly string[], { options }: Invocation, io: ProcessIo): Promise<ExitStatus> {
  const names = namesOf(operands, options);
  const attachment = findAttached(names, options).find(each => !isGone(each));
  const otherwise = isForeign(names, attachedByPortablectl()) ? 'portablectl' : 'detached';
  const state = attachment === undefined ? otherwise : (await toListed(attachment)).state;
  await io.output.write(`${state}\n`);
  return state === 'detached' ? 1 : 0;
}

/**
 * What comes after the files: the operator and the manager are told.
 * @param restarted services that run, and are started again with all others
 */
async function conclude(
  what: string,
  request: AttachOptions,
  { services, leftOut }: Layout,
  options: OptionValues,
  io: ProcessIo,
  restarted: readonly string[] = [],
): Promise<void> {
  for (const { unit, reason } of leftOut) {
    await io.errors.write(`dynuserctl: ${unit} is left out: ${reason}\n`);
  }
  await tellManager(request, services, options, io, restarted);
  await io.output.write(`Attached ${what} to ${MANAGER_TITLES[request.manager]}: ${services.join(', ')}.\n`);
}

/** The image is attached, whatever the manager says. */
async function tellManager(
  request: AttachOptions,
  services: readonly string[],
  options: OptionValues,
  io: ProcessIo,
  restarted: readonly string[],
): Promise<void> {
  const manager = MANAGER_OF[request.manager];
  if (!manager.isRunning()) {
    if (options.has('now')) {
      throw new CommandFailure(`attached, but not started: ${MANAGER_TITLES[request.manager]} does not run here`);
    }
    return;
  }
  try {
    if (!options.has('no-reload')) {
      await manager.reload(request);
    }
    if (restarted.length > 0) {
      await manager.stop(restarted);
    }
    if (request.enable && manager.enable !== undefined) {
      await manager.enable(services, request.runtime);
    }
    if (options.has('now')) {
      await manager.start(services);
    }
  } catch (error) {
    if (error instanceof CommandFailure) {
      await io.errors.write(`dynuserctl: the image is attached; "dynuserctl image detach" detaches it\n`);
    }
    throw error;
  }
}

async function detach(operands: readonly string[], { options }: Invocation, io: ProcessIo): Promise<ExitStatus> {
  needRoot('detach');
  const names = namesOf(operands, options);
  using _lock = lockAttachments();
  for (const each of findAttached(names, options)) {
    forget(each.name);
  }
  const [attachment] = findAttached(names, options);
  if (attachment === undefined) {
    const name = joinNames(names);
    const words = isForeign(names, attachedByPortablectl())
      ? 'portablectl has attached it: detach it with that'
      : 'dynuserctl has not attached it';
    throw new CommandFailure(`${printable(name)}: ${words}; "dynuserctl image list" shows what is attached`);
  }
  checkUnchanged(attachment);
  const manager = MANAGER_OF[attachment.manager];
  const isTold = manager.isRunning() && attachment.services.length > 0;
  const where = { runtime: attachment.runtime, scanDirectory: scanDirectoryWith(attachment) };
  if (isTold) {
    await stopAll(attachment, options);
  }
  if (options.has('clean')) {
    await clean(attachment, io);
  }
  removeLinks(attachment);
  if (isTold) {
    await manager.release?.(attachment.services, where);
  }
  removeAll(attachment);
  if (isTold && !options.has('no-reload')) {
    await manager.reload(where);
  }
  await io.output.write(`Detached ${attachment.name}.\n`);
  return 0;
}

/**
 * As portablectl(1): the last part of a path is enough, and the images need not exist any more.
 * @returns the names of the image and of what is laid over it; an operand may be all of them, as list shows them
 */
function namesOf([operand = '']: readonly string[], options: OptionValues): string[] {
  const given = [...(operand.includes('/') ? [operand] : splitName(operand)), ...(options.get('extension') ?? [])];
  return given.map(each => basename(each.replace(/\/+$/, '')));
}

/** @returns what is attached under these names, until the next boot or not; those of disk images may be without their suffix */
function findAttached(names: readonly string[], options: OptionValues): Attachment[] {
  const isOne = (part: string, index: number) => part === names[index] || part === `${names[index]}${DISK_SUFFIX}`;
  const found = listAttachments(name => {
    const parts = splitName(name);
    return parts.length === names.length && parts.every(isOne);
  });
  const [first] = [...found.filter(({ name }) => name === joinNames(names)), ...found];
  return found.filter(({ name, runtime }) => name === first?.name && (runtime || !options.has('runtime')));
}

/** @throws CommandFailure if something of it is not as attach has made it */
function checkUnchanged(attachment: Attachment): void {
  const changes = changesOf(attachment);
  if (changes.length > 0) {
    const shown = changes.slice(0, 8).map(printable).join(', ');
    throw new CommandFailure(`${attachment.name}: not as it was attached: ${shown}; move that away, then try again`);
  }
}

/** Removes what the services have kept, while their units are still there to say what that is. @throws CommandFailure */
async function clean(attachment: Attachment, io: ProcessIo): Promise<void> {
  const manager = MANAGER_OF[attachment.manager];
  if (manager.clean !== undefined) {
    await manager.clean(attachment.services);
    return;
  }
  const places = placesOfAttachment(attachment);
  const names = new Set(places.map(({ base, path }) => `${base}/${path}`));
  const leases = await withClient(io, listLeases);
  const held = leases.find(({ directories }) => directories.some(path => names.has(path)));
  if (held !== undefined) {
    const words = `${printable(held.userName)} uses directories of it (${printable(held.unit)}); end that first`;
    throw new CommandFailure(`${attachment.name}: ${words}`);
  }
  for (const place of places) {
    await removePlace(fileURLToPath(new URL('./dynuser-helper', import.meta.url)), place);
  }
}

/** Stops the services if that is asked for. @throws CommandFailure while they run */
async function stopAll({ name, manager: which, services }: Attachment, options: OptionValues): Promise<void> {
  const manager = MANAGER_OF[which];
  if (options.has('now')) {
    await manager.stop(services);
  }
  // What a supervisor runs ends with its directory.
  if (options.has('force') && manager.scanDirectories.length === 0) {
    return;
  }
  const running = await manager.running(services);
  if (running.length > 0) {
    throw new CommandFailure(`${name}: ${runWords(running)}; stop it first, or use --now`);
  }
}

/** @returns the supervisor's directory with the links of the services, if attach has made them */
function scanDirectoryWith({ made, services, manager }: Attachment): string | undefined {
  const link = made.find(({ kind, path }) => kind === 'link' && services.includes(basename(path)));
  return link === undefined || MANAGER_OF[manager].scanDirectories.length === 0 ? undefined : dirname(link.path);
}

/** Drops what is left of an attachment if something else, such as portablectl(1), has detached it. */
function forget(name: string): void {
  for (const attachment of attachmentsOf(name).filter(isGone)) {
    removeAll(attachment);
  }
}

async function list(_: readonly string[], invocation: Invocation, io: ProcessIo): Promise<ExitStatus> {
  const present = listAttachments().filter(attachment => !isGone(attachment));
  const attached = await Promise.all(present.map(toListed));
  const known = new Set(attached.flatMap(({ name }) => splitName(name)));
  const foreign = attachedByPortablectl();
  const others = imagesOfHost()
    .filter(({ name }) => !known.has(name))
    .map(
      ({ name, path }): ListedImage => ({
        name,
        state: foreign.has(name) ? 'portablectl' : 'detached',
        manager: foreign.has(name) ? 'systemd' : null,
        profile: null,
        units: [],
        image: path,
        extensions: [],
      }),
    );
  const all = [...attached, ...others].sort((one, other) => compareTexts(one.name, other.name));
  await print(all, invocation, io, renderImages);
  return 0;
}

async function toListed(attachment: Attachment): Promise<ListedImage> {
  const { name, manager, profile, services, image: path, extensions, runtime } = attachment;
  const state = await stateOf(attachment);
  const shown = runtime ? `${state}-runtime` : state;
  return { name, state: shown, manager, profile, units: services, image: path, extensions };
}

async function stateOf(attachment: Attachment): Promise<string> {
  if (!attachment.complete) {
    return 'unfinished';
  }
  const manager = MANAGER_OF[attachment.manager];
  if (!manager.isRunning() || attachment.services.length === 0) {
    return 'attached';
  }
  const none: readonly string[] = [];
  const running = await manager.running(attachment.services).catch(onFailure(() => none));
  return running.length > 0 ? 'running' : 'attached';
}

/** @returns the images that have a name on this host */
function imagesOfHost(): Image[] {
  const found = new Map<string, Image>();
  for (const directory of IMAGE_DIRECTORIES) {
    for (const name of namesIn(directory)) {
      const path = attempt(() => realpathSync(`${directory}/${name}`));
      const isImage =
        path !== undefined && (name.endsWith(DISK_SUFFIX) || attempt(() => lstatSync(path))?.isDirectory() === true);
      if (isImage && !found.has(name)) {
        found.set(name, { name, path, isDisk: lstatSync(path).isFile() });
      }
    }
  }
  return [...found.values()];
}

const ATTACHED_UNITS = [SYSTEMD_DIRECTORY, SYSTEMD_RUNTIME_DIRECTORY];
/** Where systemd looks for units (systemd.unit(5)), without what it is told at run time. */
const HOST_UNITS = [
  '/etc/systemd/system',
  '/run/systemd/system',
  ...ATTACHED_UNITS,
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
];

/** @returns the names of images whose units are attached, by the first line of their drop-ins, and which dynuserctl has not attached */
function attachedByPortablectl(): ReadonlySet<string> {
  const own = new Set(listAttachments().map(({ image: path, extensions }) => markOf([path, ...extensions])));
  const marks = ATTACHED_UNITS.flatMap(directory =>
    namesIn(directory)
      .filter(name => name.endsWith('.d'))
      .flatMap(name => {
        const text = attempt(() => readFileSync(`${directory}/${name}/20-portable.conf`, 'utf8'));
        return /^# Drop-in created for image '(.*)', do not edit\.$/m.exec(text ?? '')?.[1] ?? [];
      }),
  );
  return new Set(marks.filter(mark => !own.has(mark)).flatMap(namesOfMark));
}

function isForeign(names: readonly string[], foreign: ReadonlySet<string>): boolean {
  return names.every(name => foreign.has(name) || foreign.has(`${name}${DISK_SUFFIX}`));
}

function namesIn(directory: string): string[] {
  return (attempt(() => readdirSync(directory)) ?? []).slice(0, IMAGES_LISTED_MAX);
}

function needRoot(action: string): void {
  if (process.geteuid?.() !== 0) {
    throw new CommandFailure(`only root can ${action} images; use sudo`);
  }
  // What is made has the modes that are asked for, whatever the shell's mask is.
  process.umask(0o022);
}

/** @returns the image, and what is laid over it. @throws CommandFailure */
function imagesOf([operand = '']: readonly string[], options: OptionValues): [Image, ...Image[]] {
  const found = findImage(operand);
  return [found, ...findExtensions(options.get('extension') ?? [], found)];
}

function contentsOf(
  [image, ...extensions]: readonly [Image, ...Image[]],
  [, ...prefixes]: readonly string[],
  options: OptionValues,
  manager: ManagerName,
): Promise<ImageContents> {
  return readImage(image, extensions, prefixes.length === 0 ? undefined : prefixes, isForced(manager, options));
}

/** Whether what systemd has may be replaced or go on; no other manager could be told to. */
function isForced(manager: ManagerName, options: OptionValues): boolean {
  return manager === 'systemd' && options.has('force');
}

function managerOf(options: OptionValues): ManagerName | undefined {
  const named = lastValue(options, 'manager');
  return MANAGERS.find(name => name === named) ?? detectManager();
}

function neededManager(options: OptionValues): ManagerName {
  const manager = managerOf(options);
  if (manager === undefined) {
    throw new CommandFailure(`no service manager runs here; name one with --manager=${MANAGERS.join('|')}`);
  }
  return manager;
}

function attachOptions(
  manager: ManagerName,
  options: OptionValues,
  /** paths that will be gone */
  former: readonly string[] = [],
): Omit<AttachOptions, 'scanDirectory'> {
  const instances = options.get('instance') ?? [];
  const bad = instances.find(name => !/^[A-Za-z0-9:_.@-]+$/.test(name));
  if (bad !== undefined) {
    throw usageFailure(`--instance=: '${printable(bad)}' cannot be an instance here`, 'image');
  }
  return {
    manager,
    runtime: options.has('runtime'),
    profile: profileText(lastValue(options, 'profile') ?? PROFILES[0], manager),
    enable: options.has('enable'),
    isForced: isForced(manager, options),
    instances,
    isNamed: ({ name, path: target }) =>
      IMAGE_DIRECTORIES.map(directory => `${directory}/${name}`).some(
        path => !former.includes(path) && attempt(() => realpathSync(path)) === target,
      ),
  };
}

/** Profiles of the administrator and of systemd's package come first, as portablectl(1) finds them; without systemd those of dynuser do. */
function profileText(name: string, manager: ManagerName): string {
  const bases = manager === 'systemd' ? ['/etc', '/run', '/usr/local/lib', '/usr/lib'] : [];
  const paths = [
    `/etc/dynuser/portable/profile/${name}/service.conf`,
    ...bases.map(base => `${base}/systemd/portable/profile/${name}/service.conf`),
  ];
  const texts = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name)
    ? paths.map(path => answerQuestion({ kind: 'file', path }).text)
    : [];
  const profile = texts.find(text => text !== undefined) ?? ownProfile(name);
  if (profile === undefined) {
    throw new CommandFailure(
      `there is no profile ${printable(name)}; use ${PROFILES.join(', ')}, or make ${printable(paths[0] ?? '')}`,
    );
  }
  return profile;
}

/** What dynuser-run would say to each unit, as it would be attached. systemd starts its units itself. */
function inspectUnits(contents: ImageContents, { entries, leftOut }: Layout, manager: ManagerName): InspectedUnit[] {
  return [...contents.units.map(({ name }) => name), ...contents.masked].map((name): InspectedUnit => {
    const reason = leftOut.find(({ unit }) => unit === name)?.reason;
    if (reason !== undefined) {
      return { name, verdict: 'left out', reasons: [reason] };
    }
    const path = entries.find(entry => entry.kind === 'file' && basename(entry.path) === name)?.path ?? '';
    const refused = manager === 'systemd' ? [] : judgeUnitFile(path, undefined, answersFrom(entries)).refused;
    return refused.length > 0
      ? { name, verdict: 'refused', reasons: refused }
      : { name, verdict: 'attached', reasons: outsideOf(contents, name) };
  });
}

/** What a unit has run as root, with the files of the host before it, whatever its profile says. */
function outsideOf({ units }: ImageContents, unit: string): string[] {
  const text = units.find(({ name }) => name === unit)?.bytes.toString('utf8') ?? '';
  if (!unit.endsWith('.service')) {
    return [];
  }
  try {
    const commands = outsideCommands(parseUnitFile(text, unit, () => {}).service);
    return commands.map(command => `${command} is run by root outside of the image`);
  } catch (error) {
    return [`what it runs cannot be told: ${error instanceof Error ? error.message : error}`];
  }
}

/** @throws CommandFailure if a unit could never start, or nothing is left to attach */
function checkUnits(contents: ImageContents, layout: Layout, manager: ManagerName): void {
  const units = inspectUnits(contents, layout, manager);
  const refused = units.find(({ verdict }) => verdict === 'refused');
  if (refused !== undefined) {
    const words = refused.reasons.slice(0, 4).map(printable).join('; ');
    throw new CommandFailure(`${contents.image.path}: dynuser-run would not start ${refused.name}: ${words}`);
  }
  if (layout.services.length === 0) {
    const words = layout.leftOut.map(({ unit, reason }) => `${unit}: ${reason}`).join('; ');
    throw new CommandFailure(`${contents.image.path}: nothing of it can be attached: ${words}`);
  }
}

/** Answers for the host as it will be: a file that is not made yet is answered from its entry. */
function answersFrom(entries: readonly Entry[]): (question: LaunchQuestion) => LaunchAnswer {
  return question => {
    const { kind, path } = question;
    const entry = entries.find(each => each.path === path);
    if (kind === 'file' && entry?.kind === 'file') {
      return { kind, path, found: true, text: entry.bytes.toString('utf8') };
    }
    if (kind === 'directory' && entry?.kind === 'directory') {
      const names = entries.filter(each => dirname(each.path) === path).map(each => basename(each.path));
      return { kind, path, found: true, names: names.filter(name => name.endsWith('.conf')).sort() };
    }
    return answerQuestion(question);
  };
}
