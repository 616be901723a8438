/** The page of the history in a real browser: it draws, searches and zooms by the keyboard, and runs nothing that a name contains. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { renderHistoryPage } from '../../src/cli/page/page.ts';
import { until } from '../support/until.ts';

const CHROMIUM = '/usr/bin/chromium';
const NOW = Date.UTC(2026, 10, 28, 12);
const HOUR = 3_600_000_000;
const SINCE = NOW * 1_000 - 10 * HOUR;
const HOSTILE = '</script><script>document.title="broken"</script><img src=x onerror=document.title="broken">';
const PAGE = renderHistoryPage({
  entries: [
    { uid: 61_200, userName: 'web', unit: 'web.service', owner: 0, since: SINCE },
    { uid: 61_200, userName: 'mail', unit: 'mail.service', owner: 1_000, since: SINCE - 5 * HOUR, until: SINCE - HOUR },
    { uid: 61_201, userName: 'old', unit: HOSTILE, owner: 0, since: SINCE - 9 * HOUR, until: SINCE, end: 'unseen' },
  ],
  ranges: [[61_184, 65_519]],
  hostName: HOSTILE,
  now: NOW,
  omitted: 7,
});

/** Chromium, driven by its own protocol over two pipes: messages of JSON that end with a NUL. */
class Browser {
  readonly #process: ChildProcess;
  readonly #answers = new Map<number, (answer: Record<string, unknown>) => void>();
  readonly requested: string[] = [];
  #next = 1;
  #session: string | undefined;

  constructor(profile: string) {
    const switches = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--no-first-run',
    ];
    this.#process = spawn(
      CHROMIUM,
      [...switches, `--user-data-dir=${profile}`, '--remote-debugging-pipe', 'about:blank'],
      {
        stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
        // A process group, which ends as a whole: its children write into the profile.
        detached: true,
      },
    );
    let rest = '';
    const output = this.#process.stdio[4];
    assert.ok(output !== null && output !== undefined && 'setEncoding' in output);
    output.setEncoding('utf8').on('data', (text: string) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop() ?? '';
      for (const message of messages.map(each => JSON.parse(each))) {
        this.#answers.get(message.id)?.(message);
        if (message.method === 'Network.requestWillBeSent') {
          this.requested.push(message.params.request.url);
        }
      }
    });
  }

  async call(method: string, params: object = {}): Promise<Record<string, never>> {
    const id = this.#next++;
    const session = this.#session === undefined ? {} : { sessionId: this.#session };
    const input = this.#process.stdio[3];
    assert.ok(input !== null && input !== undefined && 'write' in input);
    input.write(`${JSON.stringify({ id, method, params, ...session })}\0`);
    const answer = await new Promise<Record<string, unknown>>(resolve => this.#answers.set(id, resolve));
    this.#answers.delete(id);
    assert.equal(answer['error'], undefined, JSON.stringify(answer));
    return answer['result'] as Record<string, never>;
  }

  async open(url: string): Promise<void> {
    const { targetId } = await this.call('Target.createTarget', { url: 'about:blank' });
    this.#session = (await this.call('Target.attachToTarget', { targetId, flatten: true }))['sessionId'];
    await this.call('Network.enable');
    await this.call('Page.enable');
    await this.call('Page.navigate', { url });
    await until(
      'the page has drawn',
      async () => (await this.value("document.getElementById('users')?.rows.length ?? 0")) !== 0,
    );
  }

  async value(expression: string): Promise<unknown> {
    const { result } = await this.call('Runtime.evaluate', { expression, returnByValue: true });
    return (result as unknown as { readonly value?: unknown }).value;
  }

  async press(key: string): Promise<void> {
    const text = key.length === 1 ? { text: key } : {};
    await this.call('Input.dispatchKeyEvent', { type: 'keyDown', key, ...text });
    await this.call('Input.dispatchKeyEvent', { type: 'keyUp', key });
  }

  async text(id: string): Promise<string> {
    return String(await this.value(`document.getElementById('${id}').textContent`));
  }

  async end(): Promise<void> {
    const ended = once(this.#process, 'exit');
    process.kill(-(this.#process.pid ?? assert.fail()), 'SIGKILL');
    await ended;
  }
}

it('has no markup of a name, and a policy that lets nothing load', () => {
  assert.ok(!PAGE.includes('<img') && !PAGE.includes('<script>document'));
  assert.match(
    PAGE,
    /Content-Security-Policy" content="default-src 'none'; script-src 'sha256-[^ ]+'; style-src 'sha256-[^ ]+';/,
  );
  const plain = renderHistoryPage({ entries: [], ranges: [[61_184, 65_519]], hostName: 'host', now: NOW, omitted: 0 });
  assert.doesNotMatch(plain, /https?:|src=|href=|@import|url\(/);
});

describe('in Chromium', {
  skip: existsSync(CHROMIUM) ? false : 'there is no Chromium: apt-get install chromium',
}, () => {
  const directory = mkdtempSync(`${tmpdir()}/dynuser-page-`);
  let browser: Browser;
  before(async () => {
    writeFileSync(`${directory}/page.html`, PAGE);
    browser = new Browser(`${directory}/profile`);
    await browser.open(`file://${directory}/page.html`);
  });
  after(async () => {
    await browser.end();
    rmSync(directory, { recursive: true, maxRetries: 50 });
  });

  it('shows all users, and runs and loads nothing else', async () => {
    assert.equal(await browser.text('count'), '3 users with 2 UIDs');
    assert.match(String(await browser.value('document.title')), /^Dynamic users of <\/script>/);
    assert.match(await browser.text('users'), /<img src=x/);
    assert.deepEqual(
      browser.requested.filter(url => !url.startsWith('file:')),
      [],
    );
    const isDrawn =
      "(id => { const c = document.getElementById(id); return new Set(c.getContext('2d').getImageData(0, 0, c.width, c.height).data).size })";
    assert.ok(Number(await browser.value(`${isDrawn}('map')`)) > 3);
    assert.ok(Number(await browser.value(`${isDrawn}('timeline')`)) > 3);
  });

  it('zooms, moves and chooses users by the keyboard alone', async () => {
    await browser.value("document.getElementById('timeline').focus()");
    const whole = await browser.text('window');
    await browser.press('+');
    await until('it has zoomed', async () => (await browser.text('window')) !== whole);
    await browser.press('End');
    await browser.press('+');
    await until('it shows the last hours', async () => (await browser.text('count')) === '1 user with 1 UID');
    await browser.press('0');
    await until('it shows all again', async () => (await browser.text('window')) === whole);
    await browser.press('ArrowDown');
    await until('it says which user', async () => /^UID 61200: mail, mail\.service, /.test(await browser.text('said')));
  });

  it('searches', async () => {
    await browser.value('document.activeElement.blur()');
    await browser.press('/');
    for (const letter of 'ma') {
      await browser.press(letter);
    }
    await until('it has found one', async () => (await browser.text('count')) === '1 user with 1 UID');
    assert.match(await browser.text('users'), /^61200mailmail\.service/);
  });

  it('says what a cell of the map is', async () => {
    await browser.value(
      "document.getElementById('query').value = ''; document.getElementById('query').dispatchEvent(new Event('input'))",
    );
    await browser.value("document.getElementById('map').focus()");
    for (let count = 0; count < 16; count++) {
      await browser.press('ArrowRight');
    }
    await until('it says it', async () =>
      /^UID 61200: 2 users, the last one web \(now\)$/.test(await browser.text('cell')),
    );
  });
});
