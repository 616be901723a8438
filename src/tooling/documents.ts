/** What is staged to be read: manual pages, and completions of shells. Some are files, some are made from tables. */
import { readdirSync, readFileSync } from 'node:fs';
import { COMMAND_TABLE } from '../cli/commands.ts';
import { CHECKOUT } from './checkout.ts';
import { withCommands } from './command-manual.ts';
import { bashCompletion, fishCompletion, zshCompletion } from './completions.ts';
import { bashDaemonCompletion, daemonOptions, fishDaemonCompletion, zshDaemonCompletion } from './daemon-documents.ts';
import {
  bashLauncherCompletion,
  fishLauncherCompletion,
  launcherOptions,
  withPropertyList,
  zshLauncherCompletion,
} from './launcher-documents.ts';

export interface Document {
  /** relative to the directory that is staged */
  readonly path: string;
  readonly text: string;
}

const PAGES = `${CHECKOUT}src/manual`;
/** Pages with lists that are made from tables. */
const LISTED: Readonly<Record<string, (page: string) => string>> = {
  'dynuser-run.1': withPropertyList,
  'dynuserctl.1': page => withCommands(page, COMMAND_TABLE),
};

export function manualPages(): Document[] {
  return readdirSync(PAGES).map(name => {
    const text = readFileSync(`${PAGES}/${name}`, 'utf8');
    return { path: `usr/share/man/man${name.at(-1)}/${name}`, text: LISTED[name]?.(text) ?? text };
  });
}

/** @param zshDirectory where zsh of this distribution looks, relative to the directory that is staged */
export function completions(zshDirectory: string): Document[] {
  const options = launcherOptions(readFileSync(`${CHECKOUT}native/run/cli/options.c`, 'utf8'));
  const daemon = daemonOptions(readFileSync(`${CHECKOUT}src/bin/dynuserd.ts`, 'utf8'));
  return [
    { path: 'usr/share/bash-completion/completions/dynuserctl', text: bashCompletion(COMMAND_TABLE) },
    { path: `${zshDirectory}/_dynuserctl`, text: zshCompletion(COMMAND_TABLE) },
    { path: 'usr/share/fish/vendor_completions.d/dynuserctl.fish', text: fishCompletion(COMMAND_TABLE) },
    { path: 'usr/share/bash-completion/completions/dynuser-run', text: bashLauncherCompletion(options) },
    { path: `${zshDirectory}/_dynuser-run`, text: zshLauncherCompletion(options) },
    { path: 'usr/share/fish/vendor_completions.d/dynuser-run.fish', text: fishLauncherCompletion(options) },
    { path: 'usr/share/bash-completion/completions/dynuserd', text: bashDaemonCompletion(daemon) },
    { path: `${zshDirectory}/_dynuserd`, text: zshDaemonCompletion(daemon) },
    { path: 'usr/share/fish/vendor_completions.d/dynuserd.fish', text: fishDaemonCompletion(daemon) },
  ];
}
