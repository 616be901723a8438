/** How the page of the history looks. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #fbfbfa; --panel: #ffffff; --ink: #1d2329; --faint: #5d6873; --line: #d9dee3;
  --never: #e6eaee; --used: #9fc3e6; --often: #5b95cf; --live: #d9730d; --focus: #0b5fff; --lost: #c3272b;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14181c; --panel: #1b2127; --ink: #e7ebef; --faint: #9aa6b1; --line: #333c45;
    --never: #29313a; --used: #2f5f8c; --often: #5f9fdb; --live: #f39c3d; --focus: #7aa7ff; --lost: #ff6b6b;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
header, main { max-width: 1400px; margin: 0 auto; padding: 0 20px; }
header { padding-top: 22px; }
h1 { font-size: 22px; margin: 0; }
h2 { font-size: 15px; margin: 0 0 8px; }
p { margin: 4px 0 0; color: var(--faint); }
section { background: var(--panel); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; margin: 16px 0; }
.controls { display: flex; flex-wrap: wrap; gap: 10px; align-items: center; position: sticky; top: 0; z-index: 2; }
.controls label { display: flex; gap: 8px; align-items: center; }
input[type=search] { font: inherit; padding: 6px 10px; width: 22em; max-width: 60vw; color: inherit; background: var(--ground);
  border: 1px solid var(--line); border-radius: 7px; }
button { font: inherit; padding: 5px 11px; color: inherit; background: var(--ground); border: 1px solid var(--line); border-radius: 7px; cursor: pointer; }
button:hover { border-color: var(--faint); }
:focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; }
canvas { display: block; width: 100%; border-radius: 6px; }
#scroller { height: 46vh; min-height: 220px; overflow-y: auto; border: 1px solid var(--line); border-radius: 6px; }
#timeline { position: sticky; top: 0; cursor: grab; }
.legend { display: flex; flex-wrap: wrap; gap: 16px; margin: 10px 0 0; color: var(--faint); font-size: 13px; }
.legend span::before { content: ""; display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px;
  vertical-align: -1px; background: var(--c); }
.never { --c: var(--never); } .used { --c: var(--used); } .often { --c: var(--often); } .live { --c: var(--live); }
.status { min-height: 1.5em; margin-top: 8px; font-variant-numeric: tabular-nums; }
#window { margin-left: auto; color: var(--faint); font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { color: var(--faint); font-weight: 600; font-size: 13px; }
td.number { text-align: right; }
td.unit { white-space: normal; overflow-wrap: anywhere; }
.scrolled { overflow-x: auto; }
kbd { font: 12px ui-monospace, monospace; border: 1px solid var(--line); border-radius: 4px; padding: 0 5px; }
noscript p { color: var(--lost); }
`;
