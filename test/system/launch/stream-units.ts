/** Unit files whose streams, credentials and descriptors are compared. */
import type { ComparedUnit } from './units.ts';

/** What the units below find on the host: files, and a terminal. */
export const STREAMS_SCRIPT = `
echo 'read and written, a line that is longer than what is written' >/srv/world-both; : >/srv/world-open
cat >/usr/local/bin/make-terminal <<'END'
open my $master, "+<", "/dev/ptmx" or die $!;
ioctl($master, 0x40045431, my $unlocked = pack("i", 0)) or die $!;
ioctl($master, 0x80045430, my $number = pack("i", 0)) or die $!;
symlink "/dev/pts/" . unpack("i", $number), "/srv/world-terminal" or die $!;
sleep 1000 while 1;
END
perl /usr/local/bin/make-terminal </dev/null >/dev/null 2>&1 &
`;

const STATIC = 'DynamicUser=no';
const USER = 'User=games';

export const STREAM_UNITS: readonly ComparedUnit[] = [
  {
    name: 'world-streams-data',
    lines: [
      'DynamicUser=yes',
      'StandardInputText=one \\x41\\ttwo %n',
      'StandardInputData=dGhyZWUK Zm91cgo=',
      'StandardError=append:/run/world-error',
      'UMask=0027',
    ],
    places: ['/run/world-error', '/run/report-output'],
  },
  { name: 'world-streams-data-null', lines: [STATIC, USER, 'StandardInput=null', 'StandardInputText=one'] },
  {
    name: 'world-open-files',
    lines: [
      'DynamicUser=yes',
      'OpenFile=/srv/world-both',
      'OpenFile=/srv/world-data/file:data:read-only',
      'OpenFile=/srv/world-missing:missing:graceful',
      'OpenFile=/srv/world-open:open:append',
    ],
  },
  { name: 'world-secure', lines: [STATIC, USER, 'SecureBits=noroot-locked keep-caps', 'KeyringMode=shared'] },
  {
    name: 'world-secure-root',
    lines: [STATIC, 'SecureBits=noroot no-setuid-fixup', 'KeyringMode=shared', 'AppArmorProfile=-world'],
  },
  {
    name: 'world-streams-null',
    lines: [STATIC, USER, 'StandardInput=null', 'StandardError=null'],
    places: ['/run/report-output'],
  },
  {
    name: 'world-streams-file',
    lines: [STATIC, 'StandardInput=file:/srv/world-data/file', 'StandardError=inherit'],
  },
  {
    name: 'world-streams-both',
    lines: [STATIC, USER, 'StandardInput=file:/srv/world-both', 'StandardError=file:/srv/world-both'],
  },
  {
    name: 'world-streams-journal',
    lines: ['DynamicUser=yes', 'StandardInput=null', 'StandardError=journal', 'SyslogIdentifier=world-log'],
  },
  {
    name: 'world-streams-terminal',
    lines: [
      STATIC,
      USER,
      'StandardInput=tty',
      'StandardError=tty',
      'TTYPath=/srv/world-terminal',
      'TTYRows=20',
      'TTYReset=yes',
    ],
  },
];
