/**
 * The history as one page for a browser: the range as a map, and a timeline. It needs no other file and no network, and the policy in
 * its head lets nothing run or load but its own script and style. Pure.
 */
import { createHash } from 'node:crypto';
import type { HistoryEntry } from '../render/history.ts';
import { PAGE_SCRIPT } from './script.ts';
import { PAGE_STYLE } from './style.ts';

interface HistoryPage {
  readonly entries: readonly HistoryEntry[];
  /** what can be given out: ascending, both ends included */
  readonly ranges: readonly (readonly [first: number, last: number])[];
  readonly hostName: string;
  /** milliseconds since the epoch */
  readonly now: number;
  /** how many older users are left out */
  readonly omitted: number;
}

const MICROSECONDS = 1_000;

export function renderHistoryPage(page: HistoryPage): string {
  const title = `Dynamic users of ${page.hostName}`;
  const policy = `default-src 'none'; script-src '${hashOf(PAGE_SCRIPT)}'; style-src '${hashOf(PAGE_STYLE)}'; base-uri 'none'; form-action 'none'`;
  const omitted = page.omitted === 0 ? '' : ` ${page.omitted} older users are left out.`;
  const range = page.ranges.map(([first, last]) => `${first}–${last}`).join(', ');
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeText(title)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>${escapeText(title)}</h1>
<p>Who had which UID of ${escapeText(range)}, by the history of dynuser. Made ${new Date(page.now).toISOString()}.${omitted}</p>
<noscript><p>This page needs its script to draw; 'dynuserctl history' shows the same as a table.</p></noscript>
</header>
<main>
<section class="controls" aria-label="Search and time">
<label for="query">Search <input type="search" id="query" placeholder="name, unit or UID" autocomplete="off" spellcheck="false"></label>
<span role="group" aria-label="Time that is shown">
<button type="button" id="in" aria-label="Zoom in">+</button>
<button type="button" id="out" aria-label="Zoom out">−</button>
<button type="button" id="hour">Hour</button>
<button type="button" id="day">Day</button>
<button type="button" id="week">Week</button>
<button type="button" id="all">All</button>
</span>
<span id="count" role="status"></span>
<span id="window"></span>
</section>
<section aria-labelledby="map-title">
<h2 id="map-title">The range</h2>
<canvas id="map" tabindex="0" role="application" aria-label="Map of the range, one cell for each UID: arrow keys move, Enter searches for the UID" aria-describedby="cell"></canvas>
<p id="cell" class="status" aria-live="polite">Point at a cell, or use the arrow keys.</p>
<p class="legend"><span class="never">no user in this time</span><span class="used">one</span><span class="often">several</span><span class="live">one that lives</span></p>
</section>
<section aria-labelledby="timeline-title">
<h2 id="timeline-title">The timeline</h2>
<div id="scroller" tabindex="-1">
<canvas id="timeline" tabindex="0" role="application" aria-label="Timeline of users by UID: plus and minus zoom, left and right move in time, up and down choose a user, Enter zooms to it, 0 shows all" aria-describedby="said"></canvas>
<div id="spacer"></div>
</div>
<p id="said" class="status" aria-live="polite"><kbd>+</kbd> <kbd>−</kbd> zoom, <kbd>←</kbd> <kbd>→</kbd> move, <kbd>↑</kbd> <kbd>↓</kbd> choose, <kbd>Enter</kbd> zooms to the user, <kbd>/</kbd> searches; or drag, and turn the wheel with Ctrl.</p>
</section>
<section aria-labelledby="users-title">
<h2 id="users-title">Users</h2>
<div class="scrolled">
<table>
<thead><tr><th scope="col">UID</th><th scope="col">Name</th><th scope="col">Unit</th><th scope="col">Since</th><th scope="col">Until</th><th scope="col">Asked by UID</th></tr></thead>
<tbody id="users"></tbody>
</table>
</div>
<p id="more"></p>
</section>
</main>
<script type="application/json" id="data">${dataOf(page)}</script>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}

/** Rows of numbers, with each text once. */
function dataOf({ entries, ranges, now }: HistoryPage): string {
  const names = indexOf(entries.map(({ userName }) => userName));
  const units = indexOf(entries.map(({ unit }) => unit));
  const spans = entries.map(({ uid, userName, unit, owner, since, until, end }) => [
    ...[uid, names.get(userName), units.get(unit), owner, Math.round(since / MICROSECONDS)],
    ...[until === undefined ? null : Math.round(until / MICROSECONDS), end ?? null],
  ]);
  const text = JSON.stringify({ now, ranges, names: [...names.keys()], units: [...units.keys()], spans });
  // Within a script element only "<" could end it or begin a comment.
  return text.replaceAll('<', '\\u003c');
}

/** @returns each text once, in order, with its place in that order */
function indexOf(texts: readonly string[]): ReadonlyMap<string, number> {
  return new Map([...new Set(texts)].map((text, place) => [text, place]));
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function escapeText(text: string): string {
  const named: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
    "'": '&#39;',
  };
  return text.replace(/[&<>"']/g, character => named[character] ?? '');
}
