/** What is started, and how its start is told (systemd.service(5)). */
import { readCommands } from '../syntax/command-line.ts';
import { readWord } from '../syntax/values.ts';
import { list, value } from './property.ts';

const TYPES = ['simple', 'exec', 'forking', 'oneshot', 'dbus', 'notify', 'notify-reload', 'idle'] as const;

export const COMMANDS = {
  ExecStart: list(readCommands),
  ExecStartPre: list(readCommands),
  Type: value((text, context) => readWord(text, TYPES, context)),
};
