/** Unit files whose credentials are compared. */
import type { ComparedUnit } from './units.ts';

const STATIC = 'DynamicUser=no';
const CREDENTIALS = [
  'LoadCredential=file:/srv/world-secret',
  'LoadCredential=link:/srv/world-link',
  'LoadCredential=tree:/srv/world-tree',
  'LoadCredential=world-stored',
  'LoadCredential=renamed:world-two',
  'LoadCredential=missing',
  'LoadCredential=instead:/srv/world-missing',
  'LoadCredential=empty:/dev/null',
  'SetCredential=set:a\\x00b\\n%n\\xff',
  'SetCredential=file:other',
  'SetCredential=instead:of what is missing',
  'ImportCredential=world.*:own.',
  'ImportCredential=world-t*',
  'ImportCredential=world.*',
  'Environment=DIRECTORY=%d',
];

/** What the units below find on the host. */
export const CREDENTIALS_SCRIPT = `
mkdir -p /srv/world-tree/sub/deep /etc/credstore /run/credstore /usr/lib/credstore
echo secret >/srv/world-secret; chmod 600 /srv/world-secret; ln -s world-secret /srv/world-link
echo one >/srv/world-tree/one; echo two >/srv/world-tree/sub/two; echo three >/srv/world-tree/sub/deep/three
echo hidden >/srv/world-tree/.hidden; ln -s one /srv/world-tree/link
echo stored >/run/credstore/world-stored; echo less >/usr/lib/credstore/world-stored
echo two >/etc/credstore/world-two; echo a >/usr/lib/credstore/world.a; echo b >/etc/credstore/world.b
`;

export const CREDENTIAL_UNITS: readonly ComparedUnit[] = [
  { name: 'world-credentials', lines: ['DynamicUser=yes', ...CREDENTIALS] },
  { name: 'world-credentials-static', lines: [STATIC, 'User=games', ...CREDENTIALS] },
  { name: 'world-credentials-root', lines: [STATIC, ...CREDENTIALS] },
  {
    name: 'world-credentials-users',
    lines: ['DynamicUser=yes', 'PrivateUsers=yes', 'PrivateTmp=yes', 'ProtectSystem=strict', ...CREDENTIALS],
  },
  { name: 'world-credentials-none', lines: [STATIC, 'User=games', 'ImportCredential=nothing.*', 'PrivateTmp=yes'] },
];
