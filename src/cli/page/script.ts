/** What the page of the history does in the browser. It sets texts alone, never markup: names and units are somebody else's. */
export const PAGE_SCRIPT = `
'use strict';
(() => {
  const data = JSON.parse(document.getElementById('data').textContent);
  const now = data.now;
  const spans = data.spans.map(([uid, name, unit, owner, since, until, end]) => ({
    uid, name: data.names[name], unit: data.units[unit], owner, since, until: until ?? now, live: until === null, end,
  })).sort((one, other) => one.uid - other.uid || one.since - other.since);
  const element = id => document.getElementById(id);
  const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const first = spans.reduce((least, span) => Math.min(least, span.since), now);
  const whole = { from: first, to: Math.max(now, first + 60000) };
  const state = { from: whole.from, to: whole.to, found: spans, rows: [], selected: -1, cell: 0 };
  const LABEL = 190, ROW = 20, AXIS = 26, SHORTEST = 1000;

  const two = number => String(number).padStart(2, '0');
  const stamp = time => {
    const date = new Date(time);
    return date.getFullYear() + '-' + two(date.getMonth() + 1) + '-' + two(date.getDate()) + ' ' +
      two(date.getHours()) + ':' + two(date.getMinutes()) + ':' + two(date.getSeconds());
  };
  const untilWords = span => span.live ? 'now'
    : span.end === 'lost' ? stamp(span.until) + ' (lost)'
    : span.end === 'unseen' ? 'before ' + stamp(span.until) : stamp(span.until);
  const words = span => 'UID ' + span.uid + ': ' + span.name + ', ' + span.unit + ', ' + stamp(span.since) + ' to ' + untilWords(span);
  const hue = name => [...name].reduce((sum, letter) => (sum * 31 + letter.codePointAt(0)) % 360, 7);

  /** A canvas as sharp as its screen. */
  function prepare(canvas, height) {
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.parentElement.clientWidth - (canvas.id === 'map' ? 0 : 2);
    canvas.style.height = height + 'px';
    canvas.width = Math.max(1, Math.round(width * ratio));
    canvas.height = Math.max(1, Math.round(height * ratio));
    const context = canvas.getContext('2d');
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = '12px system-ui, sans-serif';
    context.textBaseline = 'middle';
    return { context, width, height };
  }

  // ---- what is searched for ---------------------------------------------------------------------------------------

  function search() {
    const query = element('query').value.trim().toLowerCase();
    state.found = spans.filter(span => String(span.uid) === query
      || span.name.toLowerCase().includes(query) || span.unit.toLowerCase().includes(query));
    state.selected = -1;
    update();
  }

  function visible() {
    return state.found.filter(span => span.since <= state.to && span.until >= state.from);
  }

  // ---- the map ----------------------------------------------------------------------------------------------------

  const size = data.ranges.reduce((sum, range) => sum + range[1] - range[0] + 1, 0);
  const share = Math.max(1, Math.ceil(size / 8192));
  const cells = Math.max(1, Math.ceil(size / share));
  let columns = 1, side = 8;
  const uidAt = cell => {
    let rest = cell * share;
    for (const [from, to] of data.ranges) {
      if (rest <= to - from) { return from + rest; }
      rest -= to - from + 1;
    }
    return undefined;
  };
  const cellOf = uid => {
    let before = 0;
    for (const [from, to] of data.ranges) {
      if (uid >= from && uid <= to) { return Math.floor((before + uid - from) / share); }
      before += to - from + 1;
    }
    return undefined;
  };

  function drawMap(shown) {
    const canvas = element('map');
    const width = canvas.parentElement.clientWidth;
    side = Math.max(5, Math.min(14, Math.floor(Math.sqrt(width * 260 / cells))));
    columns = Math.max(1, Math.floor(width / side));
    const { context } = prepare(canvas, Math.ceil(cells / columns) * side);
    const counts = new Uint32Array(cells), live = new Uint8Array(cells);
    for (const span of shown) {
      const cell = cellOf(span.uid);
      if (cell !== undefined) {
        counts[cell]++;
        live[cell] |= span.live ? 1 : 0;
      }
    }
    const [never, used, often, alive] = ['--never', '--used', '--often', '--live'].map(color);
    for (let cell = 0; cell < cells; cell++) {
      context.fillStyle = live[cell] ? alive : counts[cell] > 1 ? often : counts[cell] ? used : never;
      context.fillRect((cell % columns) * side, Math.floor(cell / columns) * side, side - 1, side - 1);
    }
    context.strokeStyle = color('--focus');
    context.lineWidth = 2;
    if (document.activeElement === canvas) {
      context.strokeRect((state.cell % columns) * side, Math.floor(state.cell / columns) * side, side - 1, side - 1);
    }
  }

  function cellWords(cell) {
    const from = uidAt(cell);
    if (from === undefined) { return ''; }
    const last = share === 1 ? from : uidAt(Math.min(cell + 1, cells) - 1) + share - 1;
    const own = state.found.filter(span => cellOf(span.uid) === cell);
    const title = share === 1 ? 'UID ' + from : 'UIDs ' + from + ' to ' + last;
    if (own.length === 0) { return title + ': no user'; }
    const latest = own.reduce((one, other) => (other.since > one.since ? other : one));
    return title + ': ' + own.length + (own.length === 1 ? ' user' : ' users') + ', the last one ' + latest.name + ' (' + untilWords(latest) + ')';
  }

  // ---- the timeline -----------------------------------------------------------------------------------------------

  const STEPS = [1, 2, 5, 10, 15, 30].map(n => n * 1000).concat([1, 2, 5, 10, 15, 30].map(n => n * 60000),
    [1, 2, 3, 6, 12].map(n => n * 3600000), [1, 2, 7, 14, 30, 90, 365].map(n => n * 86400000));

  function drawTimeline(shown) {
    const byUid = new Map();
    for (const span of shown) {
      const row = byUid.get(span.uid);
      if (row === undefined) { byUid.set(span.uid, [span]); } else { row.push(span); }
    }
    state.rows = [...byUid.values()];
    const scroller = element('scroller');
    element('spacer').style.height = Math.max(0, state.rows.length * ROW + AXIS - scroller.clientHeight) + 'px';
    const { context, width, height } = prepare(element('timeline'), scroller.clientHeight);
    const [ink, faint, line, panel, lost, focus] = ['--ink', '--faint', '--line', '--panel', '--lost', '--focus'].map(color);
    context.fillStyle = panel;
    context.fillRect(0, 0, width, height);
    const scale = (width - LABEL) / (state.to - state.from);
    const x = time => LABEL + (time - state.from) * scale;
    const step = STEPS.find(each => each * scale > 110) || STEPS[STEPS.length - 1];
    context.fillStyle = faint;
    context.strokeStyle = line;
    context.lineWidth = 1;
    const zone = new Date(state.from).getTimezoneOffset() * 60000;
    for (let time = Math.ceil((state.from - zone) / step) * step + zone; time <= state.to; time += step) {
      context.beginPath();
      context.moveTo(x(time), AXIS - 4);
      context.lineTo(x(time), height);
      context.stroke();
      context.fillText(step >= 86400000 ? stamp(time).slice(0, 10) : step >= 60000 ? stamp(time).slice(5, 16) : stamp(time).slice(11), x(time) + 4, AXIS / 2);
    }
    const top = scroller.scrollTop;
    const from = Math.floor(top / ROW), to = Math.min(state.rows.length, Math.ceil((top + height) / ROW));
    context.save();
    context.beginPath();
    context.rect(0, AXIS, width, height - AXIS);
    context.clip();
    for (let index = from; index < to; index++) {
      const row = state.rows[index], y = AXIS + index * ROW - top;
      context.fillStyle = ink;
      context.fillText(String(row[0].uid), 8, y + ROW / 2);
      context.fillStyle = faint;
      const last = row[row.length - 1].name;
      context.fillText(last.length > 17 ? last.slice(0, 16) + '…' : last, 64, y + ROW / 2);
      for (const span of row) {
        const left = Math.max(LABEL, x(span.since)), right = Math.min(width, Math.max(x(span.until), x(span.since) + 2));
        if (right < LABEL) { continue; }
        context.fillStyle = 'hsl(' + hue(span.name) + ' 55% ' + (span.live ? 45 : 58) + '%)';
        context.globalAlpha = span.live ? 1 : 0.75;
        context.fillRect(left, y + 3, Math.max(2, right - left), ROW - 6);
        context.globalAlpha = 1;
        if (span.end === 'lost') {
          context.fillStyle = lost;
          context.fillRect(right - 3, y + 1, 3, ROW - 2);
        }
        if (span.end === 'unseen') {
          context.fillStyle = panel;
          for (let dash = 0; dash < ROW - 6; dash += 4) { context.fillRect(right - 4, y + 3 + dash, 4, 2); }
        }
        if (right - left > context.measureText(span.name).width + 12) {
          context.fillStyle = '#fff';
          context.fillText(span.name, left + 6, y + ROW / 2);
        }
        if (spans[state.selected] === span) {
          context.strokeStyle = focus;
          context.lineWidth = 2;
          context.strokeRect(left, y + 2, Math.max(2, right - left), ROW - 4);
        }
      }
    }
    context.restore();
    if (state.rows.length === 0) {
      context.fillStyle = faint;
      context.fillText('No user in this time.', LABEL + 12, AXIS + 24);
    }
  }

  // ---- the table --------------------------------------------------------------------------------------------------

  const LISTED = 200;
  function listUsers(shown) {
    const newest = [...shown].sort((one, other) => other.since - one.since);
    const body = element('users');
    body.replaceChildren(...newest.slice(0, LISTED).map(span => {
      const row = document.createElement('tr');
      const cells = [[span.uid, 'number'], [span.name, ''], [span.unit, 'unit'], [stamp(span.since), ''], [untilWords(span), ''], [span.owner, 'number']];
      row.append(...cells.map(([text, kind]) => {
        const cell = document.createElement('td');
        cell.textContent = String(text);
        cell.className = kind;
        return cell;
      }));
      return row;
    }));
    element('more').textContent = shown.length > LISTED ? 'The newest ' + LISTED + ' of ' + shown.length + ' users; zoom or search to see others.' : '';
    const uids = new Set(shown.map(span => span.uid)).size;
    element('count').textContent = shown.length + (shown.length === 1 ? ' user with ' : ' users with ') + uids + (uids === 1 ? ' UID' : ' UIDs');
  }

  let isDue = false;
  function update() {
    if (isDue) { return; }
    isDue = true;
    requestAnimationFrame(() => {
      isDue = false;
      const shown = visible();
      drawMap(shown);
      drawTimeline(shown);
      listUsers(shown);
      element('window').textContent = stamp(state.from) + ' to ' + stamp(state.to);
    });
  }

  // ---- moving in time ---------------------------------------------------------------------------------------------

  function show(from, to) {
    const length = Math.min(Math.max(to - from, SHORTEST), whole.to - whole.from);
    state.from = Math.min(Math.max(from, whole.from), whole.to - length);
    state.to = state.from + length;
    update();
  }
  function zoom(factor, at) {
    const center = at === undefined ? (state.from + state.to) / 2 : at;
    show(center - (center - state.from) * factor, center + (state.to - center) * factor);
  }
  function pan(part) {
    const length = state.to - state.from;
    show(state.from + length * part, state.to + length * part);
  }
  const say = text => { element('said').textContent = text; };

  function select(step) {
    const shown = visible();
    if (shown.length === 0) { return; }
    const at = shown.indexOf(spans[state.selected]);
    const next = shown[at < 0 ? 0 : Math.min(Math.max(at + step, 0), shown.length - 1)];
    state.selected = spans.indexOf(next);
    const row = state.rows.findIndex(each => each[0].uid === next.uid);
    const scroller = element('scroller');
    if (row * ROW < scroller.scrollTop) { scroller.scrollTop = row * ROW; }
    if ((row + 1) * ROW + AXIS > scroller.scrollTop + scroller.clientHeight) { scroller.scrollTop = (row + 1) * ROW + AXIS - scroller.clientHeight; }
    say(words(next));
    update();
  }

  const timeline = element('timeline');
  const timeAt = event => state.from + Math.max(0, event.offsetX - LABEL) / Math.max(1, timeline.clientWidth - LABEL) * (state.to - state.from);
  const spanAt = event => {
    const row = state.rows[Math.floor((event.offsetY - AXIS + element('scroller').scrollTop) / ROW)] || [];
    const time = timeAt(event), slack = 3 * (state.to - state.from) / Math.max(1, timeline.clientWidth - LABEL);
    return event.offsetY < AXIS ? undefined : row.find(span => span.since - slack <= time && span.until + slack >= time);
  };
  const KEYS = {
    '+': () => zoom(0.5), '=': () => zoom(0.5), '-': () => zoom(2), '0': () => show(whole.from, whole.to),
    ArrowLeft: () => pan(-0.2), ArrowRight: () => pan(0.2), Home: () => show(whole.from, whole.from + state.to - state.from),
    End: () => show(whole.to - (state.to - state.from), whole.to), ArrowDown: () => select(1), ArrowUp: () => select(-1),
    Enter: () => {
      const span = spans[state.selected];
      if (span !== undefined) {
        const margin = Math.max((span.until - span.since) * 0.25, 30000);
        show(span.since - margin, span.until + margin);
      }
    },
  };
  const onKeys = keys => event => {
    const action = event.ctrlKey || event.altKey || event.metaKey ? undefined : keys[event.key];
    if (action !== undefined) {
      event.preventDefault();
      action();
    }
  };
  timeline.addEventListener('keydown', onKeys(KEYS));
  timeline.addEventListener('wheel', event => {
    if (event.ctrlKey || event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      if (event.ctrlKey) { zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt(event)); } else { pan((event.deltaX || event.deltaY) / 800); }
    }
  }, { passive: false });
  timeline.addEventListener('dblclick', event => zoom(0.4, timeAt(event)));
  let dragged;
  timeline.addEventListener('pointerdown', event => {
    dragged = { x: event.clientX, from: state.from, to: state.to };
    timeline.setPointerCapture(event.pointerId);
  });
  timeline.addEventListener('pointerup', event => {
    const span = dragged !== undefined && Math.abs(event.clientX - dragged.x) < 4 ? spanAt(event) : undefined;
    dragged = undefined;
    if (span !== undefined) {
      state.selected = spans.indexOf(span);
      say(words(span));
      update();
    }
  });
  timeline.addEventListener('pointermove', event => {
    if (dragged === undefined) {
      const span = spanAt(event);
      timeline.title = span === undefined ? '' : words(span);
      return;
    }
    const by = (dragged.x - event.clientX) / Math.max(1, timeline.clientWidth - LABEL) * (dragged.to - dragged.from);
    show(dragged.from + by, dragged.to + by);
  });
  element('scroller').addEventListener('scroll', update);

  const map = element('map');
  const moveCell = step => {
    state.cell = Math.min(Math.max(state.cell + step, 0), cells - 1);
    element('cell').textContent = cellWords(state.cell);
    update();
  };
  map.addEventListener('keydown', onKeys({
    ArrowLeft: () => moveCell(-1), ArrowRight: () => moveCell(1), ArrowUp: () => moveCell(-columns), ArrowDown: () => moveCell(columns),
    Home: () => moveCell(-cells), End: () => moveCell(cells), Enter: () => chooseCell(state.cell),
  }));
  function chooseCell(cell) {
    if (share === 1) {
      element('query').value = String(uidAt(cell));
      search();
    }
  }
  const cellAt = event => Math.min(cells - 1, Math.floor(event.offsetY / side) * columns + Math.min(columns - 1, Math.floor(event.offsetX / side)));
  map.addEventListener('pointermove', event => { element('cell').textContent = cellWords(cellAt(event)); });
  map.addEventListener('click', event => { state.cell = cellAt(event); chooseCell(state.cell); });
  for (const canvas of [map, timeline]) {
    canvas.addEventListener('focus', update);
    canvas.addEventListener('blur', update);
  }

  element('query').addEventListener('input', search);
  element('in').addEventListener('click', () => zoom(0.5));
  element('out').addEventListener('click', () => zoom(2));
  element('all').addEventListener('click', () => show(whole.from, whole.to));
  for (const [id, hours] of [['hour', 1], ['day', 24], ['week', 168]]) {
    element(id).addEventListener('click', () => show(whole.to - hours * 3600000, whole.to));
  }
  document.addEventListener('keydown', event => {
    if (event.key === '/' && document.activeElement !== element('query')) {
      event.preventDefault();
      element('query').focus();
    }
  });
  window.addEventListener('resize', update);
  window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', update);
  update();
})();
`;
