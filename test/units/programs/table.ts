/**
 * Programs of Debian, the unit files they come with, and how one sees that they work. They are started from these files as they
 * are, by the real systemd and by dynuser-run on a host without.
 */

export interface Program {
  /** of Debian; more than one if the unit's program needs another to do something */
  readonly packages: readonly string[];
  /** the unit's name; of a template with the instance */
  readonly unit: string;
  /** the instance has its own file */
  readonly ownFile?: true;
  /** address of the socket, for a service that its socket unit starts: what the program is handed */
  readonly socket?: string;
  /** configuration of ours, by its path */
  readonly files?: Readonly<Record<string, string>>;
  /** a shell script, run as root before the service is started: a page to serve, another server to talk to */
  readonly before?: string;
  /** a shell script that succeeds if the service does its work */
  readonly check: string;
  /** does its work after ExecReload= too */
  readonly reloads?: true;
  /** lines without which the report could not run in its place */
  readonly forReport?: readonly string[];
}

/** What the scripts below can say. `logged PATTERN` is a function of whoever runs them: each world keeps its logs elsewhere. */
export const WORDS = String.raw`
# ask PORT TEXT: sends it to a server, and prints its first answer
ask() {
	perl -MIO::Socket::INET -e 'alarm 5; my ($port, $text) = @ARGV; $text =~ s/\\x(..)/chr hex $1/ge; $text =~ s/\\n/\r\n/g;
		my $s = IO::Socket::INET->new("127.0.0.1:$port") or die "port $port: $!\n"; print $s $text; sysread $s, my $answer, 4096; print $answer' "$@"
}
# resolves ADDRESS NAME: asks a name server
resolves() {
	node -e 'const resolver = new (require("dns").promises.Resolver)({ timeout: 2000, tries: 2 }); resolver.setServers([process.argv[1]]);
		resolver.resolve4(process.argv[2]).then(found => console.log(found.join()), error => { console.error(String(error)); process.exit(1) })' "$@"
}
fetch() { curl --silent --show-error --max-time 5 "$@"; }
# page_server: serves "a page" at port 8000
page_server() {
	fetch 127.0.0.1:8000 >/dev/null 2>&1 || {
		serve node -e 'require("http").createServer((_, answer) => answer.end("a page\n")).listen(8000, "127.0.0.1")'
	}
}
certificate() {
	[ -e "$1.pem" ] || openssl req -x509 -newkey rsa:2048 -nodes -days 10 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
		-keyout "$1.key" -out "$1.pem" 2>/dev/null
}
`;

const ZONE = `$ORIGIN page.example.org.
$TTL 60
@ IN SOA ns.page.example.org. root.page.example.org. 1 60 60 60 60
@ IN NS ns.page.example.org.
ns IN A 127.0.0.1
@ IN A 10.1.2.3
`;

export const PROGRAMS: readonly Program[] = [
  {
    packages: ['stubby', 'unbound'],
    unit: 'stubby.service',
    files: {
      '/etc/stubby/stubby.yml': `resolution_type: GETDNS_RESOLUTION_STUB
dns_transport_list:
  - GETDNS_TRANSPORT_TLS
tls_authentication: GETDNS_AUTHENTICATION_NONE
listen_addresses:
  - 127.0.0.1
upstream_recursive_servers:
  - address_data: 127.0.0.2
    tls_port: 853
`,
      '/srv/upstream/unbound.conf': `server:
  interface: 127.0.0.2@853
  chroot: ""
  username: ""
  pidfile: /run/upstream.pid
  use-syslog: no
  tls-port: 853
  tls-service-key: /srv/upstream/server.key
  tls-service-pem: /srv/upstream/server.pem
  local-data: "page.example.org. A 10.1.2.3"
`,
    },
    before: 'certificate /srv/upstream/server; serve unbound -d -c /srv/upstream/unbound.conf',
    check: '[ "$(resolves 127.0.0.1 page.example.org)" = 10.1.2.3 ]',
  },
  {
    packages: ['wsdd2'],
    unit: 'wsdd2.service',
    reloads: true,
    // What it belongs to, by BindsTo=.
    files: { '/etc/systemd/system/smbd.service': '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=true\n' },
    before: `ip link show wsdd0 >/dev/null 2>&1 || {
	ip link add wsdd0 type veth peer name wsdd1 && ip addr add 10.11.12.1/24 dev wsdd0 && ip link set wsdd0 up && ip link set wsdd1 up
}`,
    check: '[ "$(resolves 10.11.12.1:5355 "$(uname -n)")" = 10.11.12.1 ]',
  },
  {
    packages: ['shadowsocks-libev'],
    unit: 'shadowsocks-libev-server@test.service',
    files: {
      '/etc/shadowsocks-libev/test.json':
        '{ "server": "127.0.0.1", "server_port": 838, "password": "secret", "timeout": 60, "method": "chacha20-ietf-poly1305" }\n',
    },
    before: `page_server
serve ss-local -s 127.0.0.1 -p 838 -l 1080 -k secret -m chacha20-ietf-poly1305`,
    check: '[ "$(fetch --proxy socks5h://127.0.0.1:1080 http://127.0.0.1:8000/)" = "a page" ]',
  },
  {
    packages: ['molly-brown', 'ssl-cert'],
    unit: 'molly-brown@test.service',
    // With systemd a program asks through a socket what its user is called.
    forReport: ['RestrictAddressFamilies=AF_UNIX'],
    files: {
      '/etc/molly-brown/test.conf': `Hostname = "localhost"
CertPath = "/etc/molly-brown/server.pem"
KeyPath = "/etc/molly-brown/server.key"
DocBase = "/srv/gemini/"
AccessLog = "/var/lib/molly-brown/access.log"
ErrorLog = "/var/lib/molly-brown/error.log"
`,
      '/srv/gemini/index.gmi': 'a page\n',
    },
    before: `certificate /etc/molly-brown/server
chgrp ssl-cert /etc/molly-brown/server.key && chmod 640 /etc/molly-brown/server.key`,
    check: `printf 'gemini://localhost/\\r\\n' | timeout 5 openssl s_client -quiet -connect 127.0.0.1:1965 -servername localhost 2>/dev/null |
	grep 'a page' && grep localhost /var/lib/molly-brown/access.log`,
  },
  {
    packages: ['earlyoom'],
    unit: 'earlyoom.service',
    files: { '/etc/default/earlyoom': 'EARLYOOM_ARGS="-r 1"\n' },
    check: "logged 'mem avail'",
  },
  {
    packages: ['v2ray'],
    unit: 'v2ray.service',
    files: {
      '/etc/v2ray/config.json': `{
  "inbounds": [{ "listen": "127.0.0.1", "port": 808, "protocol": "http" }],
  "outbounds": [{ "protocol": "freedom" }]
}
`,
    },
    before: 'page_server',
    check: '[ "$(fetch --proxy http://127.0.0.1:808 http://127.0.0.1:8000/)" = "a page" ]',
  },
  {
    packages: ['usbrelayd', 'mosquitto'],
    unit: 'usbrelayd.service',
    files: { '/etc/usbrelayd.conf': '[MQTT]\nBROKER = 127.0.0.1\nCLIENTNAME = relay\n' },
    before: 'serve mosquitto -p 1883',
    check: 'logged "No usbrelay modules connected"',
  },
  {
    packages: ['systemd-journal-remote'],
    unit: 'systemd-journal-gatewayd.service',
    socket: '19531',
    check: 'fetch http://127.0.0.1:19531/machine | grep machine_id',
  },
  {
    packages: ['cockpit-ws'],
    unit: 'cockpit-wsinstance-http.service',
    socket: '/run/cockpit/wsinstance/http.sock',
    check: 'fetch --unix-socket /run/cockpit/wsinstance/http.sock http://localhost/ | grep -i "<title>"',
  },
  {
    packages: ['redis-server'],
    unit: 'redis-server.service',
    forReport: ['ExecPaths=/usr'],
    check: `ask 6379 'PING\\n' | grep PONG && ask 6379 'SET key value\\nSAVE\\n' && [ -s /var/lib/redis/dump.rdb ]`,
  },
  {
    packages: ['memcached'],
    unit: 'memcached.service',
    check: `ask 11211 'set key 0 0 5\\nvalue\\n' | grep STORED && ask 11211 'get key\\n' | grep value`,
  },
  {
    packages: ['prometheus-node-exporter'],
    unit: 'prometheus-node-exporter.service',
    check: 'fetch http://127.0.0.1:9100/metrics | grep ^node_load1',
  },
  {
    packages: ['transmission-daemon'],
    unit: 'transmission-daemon.service',
    reloads: true,
    check: 'fetch -u transmission:transmission http://127.0.0.1:9091/transmission/rpc | grep X-Transmission-Session-Id',
  },
  {
    packages: ['znc'],
    unit: 'znc.service',
    files: {
      '/var/lib/znc/configs/znc.conf': `Version = 1.9.1
<Listener plain>
	Port = 6697
	IPv4 = true
	IPv6 = false
	SSL = false
</Listener>
<User somebody>
	Pass = plain#secret
	Admin = true
	Nick = somebody
</User>
`,
    },
    before: 'chown -R _znc:_znc /var/lib/znc',
    check: `ask 6697 'PASS somebody:secret\\nNICK somebody\\nUSER somebody 0 * x\\n' | grep somebody`,
  },
  {
    packages: ['radicale'],
    unit: 'radicale.service',
    files: { '/etc/radicale/config': '[auth]\ntype = none\n' },
    before: 'chown radicale: /var/lib/radicale/collections',
    check: `fetch -u somebody: -X MKCOL http://localhost:5232/somebody/ >/dev/null
fetch http://localhost:5232/.web/ | grep -i radicale && ls /var/lib/radicale/collections/collection-root/somebody`,
  },
  {
    packages: ['knot-resolver'],
    unit: 'kresd@1.service',
    files: {
      '/etc/knot-resolver/kresd.conf': `net.listen('127.0.0.1', 53)
modules = { 'hints > iterate' }
hints['page.example.org'] = '10.1.2.3'
`,
    },
    check: '[ "$(resolves 127.0.0.1 page.example.org)" = 10.1.2.3 ]',
  },
  {
    packages: ['prosody'],
    unit: 'prosody.service',
    reloads: true,
    check: `ask 5222 '<?xml version="1.0"?><stream:stream to="localhost" xmlns="jabber:client" xmlns:stream="http://etherx.jabber.org/streams" version="1.0">' |
	grep stream:stream`,
  },
  {
    packages: ['lighttpd'],
    unit: 'lighttpd.service',
    reloads: true,
    files: { '/var/www/html/page.txt': 'a page\n' },
    check: '[ "$(fetch http://127.0.0.1/page.txt)" = "a page" ]',
  },
  {
    packages: ['unbound'],
    unit: 'unbound.service',
    reloads: true,
    files: { '/etc/unbound/unbound.conf.d/test.conf': 'server:\n  local-data: "page.example.org. A 10.1.2.3"\n' },
    check: '[ "$(resolves 127.0.0.1 page.example.org)" = 10.1.2.3 ]',
  },
  {
    packages: ['nsd'],
    unit: 'nsd.service',
    reloads: true,
    files: {
      '/etc/nsd/nsd.conf.d/test.conf':
        'server:\n  ip-address: 127.0.0.1\nzone:\n  name: page.example.org\n  zonefile: /etc/nsd/page.example.org.zone\n',
      '/etc/nsd/page.example.org.zone': ZONE,
    },
    check: '[ "$(resolves 127.0.0.1 page.example.org)" = 10.1.2.3 ]',
  },
  {
    packages: ['mosquitto'],
    unit: 'mosquitto.service',
    reloads: true,
    check: `ask 1883 '\\x10\\x0d\\x00\\x04MQTT\\x04\\x02\\x00\\x3c\\x00\\x01a' | od -An -tx1 | grep '20 02'`,
  },
  {
    packages: ['tor'],
    unit: 'tor@default.service',
    ownFile: true,
    check: `ask 9050 '\\x05\\x01\\x00' | od -An -tx1 | grep '05 00' && [ -e /var/lib/tor/state ]`,
  },
  {
    packages: ['haproxy'],
    unit: 'haproxy.service',
    reloads: true,
    files: {
      '/etc/haproxy/haproxy.cfg': `global
  chroot /var/lib/haproxy
  user haproxy
  group haproxy
  log /dev/log local0
defaults
  mode http
  timeout connect 5s
  timeout client 5s
  timeout server 5s
frontend page
  bind 127.0.0.1:80
  http-request return status 200 content-type text/plain string "a page"
`,
    },
    check: '[ "$(fetch http://127.0.0.1/)" = "a page" ]',
  },
  {
    packages: ['tinyproxy'],
    unit: 'tinyproxy.service',
    reloads: true,
    before: 'page_server',
    check: '[ "$(fetch --proxy http://127.0.0.1:8888 http://127.0.0.1:8000/)" = "a page" ]',
  },
];
