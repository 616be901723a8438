/** The page dynuserctl(1), made from the table of commands: it cannot say anything else than the command does. Pure. */
import type { CommandSpec, CommandTable, OptionSpec } from '../cli/command.ts';
import { wrap } from '../cli/render/text.ts';

/** Short enough that a line stays within 80 columns with its escapes. */
const WIDTH = 70;

/** What the table does not say: where the command looks, and how it ends. */
const ENVIRONMENT = `.Sh ENVIRONMENT
.Bl -tag -width Ds
.It Ev DYNUSER_RUNTIME_DIRECTORY
The directory of the sockets of
.Xr dynuserd 8 ,
instead of
.Pa /run/dynuser .
.It Ev DYNUSER_PAGER , PAGER
The pager of answers that are longer than the terminal.
The first variable that is set counts.
If it is empty or
.Ql cat ,
there is no pager.
Unless set:
.Xr pager 1 ,
.Xr less 1
or
.Xr more 1 .
.It Ev DYNUSER_LESS
The options of
.Xr less 1 ,
instead of
.Ql FRSXMK .
.It Ev DYNUSER_PAGERSECURE
.Ql 1 :
only
.Xr less 1
is used, in its secure mode, which starts no other program and writes no file.
.Ql 0 :
any pager is used.
Unless it is set, root who has not logged in as root, as with
.Xr sudo 8 ,
gets the secure mode, and everybody else any pager.
.It Ev NO_COLOR
If it is set, no text is bold or faint on a terminal.
.El
`;
const FILES = `.Sh FILES
.Bl -tag -width Ds
.It Pa /run/dynuser/io.dynuser.Allocator
The socket of
.Xr dynuserd 8
for root and for others who may acquire; it is tried first.
.It Pa /run/dynuser/io.dynuser.DynamicUser
The socket for everybody.
.El
`;
const EXIT_STATUS = `.Sh EXIT STATUS
.Bl -tag -width Ds
.It 0
Success.
.It 1
It failed, or what was asked for does not exist.
.It 2
The command line is wrong.
.El
`;
const SEE_ALSO = `.Sh SEE ALSO
.Xr dynuser\\-run 1 ,
.Xr dynuserd.conf 5 ,
.Xr dynuserd 8 ,
.Xr libnss_dynuser 8
`;

/** @param date as it stands in the page's foot */
export function renderCommandManual({ commands, options }: CommandTable, date: string): string {
  return [
    `.Dd ${date}\n.Dt DYNUSERCTL 1\n.Os dynuser\n`,
    '.Sh NAME\n.Nm dynuserctl\n.Nd show and manage dynamic users\n',
    '.Sh SYNOPSIS\n.Nm\n.Op Ar OPTION ...\n.Op Ar COMMAND Op Ar ARGUMENT ...\n',
    '.Sh DESCRIPTION\n.Nm\nshows and manages the users that\n.Xr dynuserd 8\ngives to services for as long as they run.\n',
    'Options and arguments come in any order after the command.\nOptions of every command may come before it.\n.Fl \\-\nends the options.\n',
    '.Sh COMMANDS\n',
    ...commands.map(renderCommand),
    `.Sh OPTIONS\nEvery command takes these:\n${renderOptions(options)}`,
    ENVIRONMENT,
    FILES,
    EXIT_STATUS,
    `.Sh EXAMPLES\n.Bd -literal -offset indent\n${commands
      .flatMap(({ examples }) => examples)
      .map(example => `${mdocLine(example)}\n`)
      .join('')}.Ed\n`,
    SEE_ALSO,
  ].join('');
}

function renderCommand(command: CommandSpec): string {
  const operands = command.operands.map(operand => ` Ar ${mdocWord(operand)}`).join('');
  const own = command.options.length === 0 ? '' : renderOptions(command.options);
  return [
    `.Ss ${mdocWord([command.verb, ...command.operands].join(' '))}\n`,
    `.Nm Cm ${command.verb}${command.options.length === 0 ? '' : ' Oo Ar OPTION ... Oc'}${operands}\n.Pp\n`,
    `${mdocLine(command.summary)}.\n`,
    ...command.description.map(paragraph => `.Pp\n${mdocText(paragraph)}`),
    own,
  ].join('');
}

function renderOptions(options: readonly OptionSpec[]): string {
  const items = options.map(({ name, letter, value, repeatable, help }) => {
    const again = repeatable ? 'May be given several times.\n' : '';
    const short = letter === undefined ? '' : ` , ${letter}`;
    return `.It ${mdocOption(name, value)}${short}\n${mdocText(`${help}.`)}${again}`;
  });
  return `.Bl -tag -width Ds\n${items.join('')}.El\n`;
}

/**
 * Text as mdoc(7) takes it.
 * @param text words, of which nothing is a request or an escape
 * @returns lines, of which each sentence begins one: mdoc puts the space between two sentences itself
 */
function mdocText(text: string): string {
  const sentences = text.split(/(?<=[.!?]) (?=\S)/);
  return sentences
    .flatMap(sentence => wrap(sentence, WIDTH))
    .map(line => `${mdocLine(line)}\n`)
    .join('');
}

/** @returns one line of running text: hyphens as they are typed, and nothing that roff would take for its own */
function mdocLine(text: string): string {
  const escaped = text.replace(/\\/g, '\\e').replace(/-/g, '\\-');
  // A dot or an apostrophe at the start of a line would be a request.
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped;
}

/** @returns an argument of a macro, where quotation marks mean something too */
function mdocWord(text: string): string {
  return mdocLine(text).replace(/"/g, '\\(dq');
}

/** @returns the macros of one option: "--user=NAME" */
function mdocOption(name: string, value: string | undefined): string {
  const flag = `Fl \\-${mdocWord(name)}`;
  return value === undefined ? flag : `${flag} Ns = Ns Ar ${mdocWord(value)}`;
}
