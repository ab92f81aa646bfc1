'use strict';
// Every name comes from the watched program: it is only ever put in as text, or drawn.
const $ = (id) => document.getElementById(id);
const STATES = ['new', 'ready', 'running', 'runnable', 'blocked', 'kernel'];
const LABELS = ['new', 'ready, no processor', 'running', 'runnable', 'blocked on an object', 'blocked in the kernel'];
const ROW = 24, AXIS = 26, GUTTER = 190, STEP = 32, N = STATES.length;
const canvas = $('canvas'), tip = $('tip');
let model = null, lanes = [], shown = [], view = {from: 0, to: 1, top: 0}, colours = [], theme = {};

function time(ns) {
  for (const [unit, size] of [['s', 1e9], ['ms', 1e6], ['µs', 1e3]]) {
    if (ns >= size) return (ns / size).toFixed(ns >= 100 * size ? 0 : ns >= 10 * size ? 1 : 2) + ' ' + unit;
  }
  return Math.round(ns) + ' ns';
}
const count = (n) => n.toLocaleString('en');

async function load() {
  const text = atob($('data').textContent.trim());
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; ++i) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream('deflate'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const size = new DataView(bytes.buffer).getUint32(0, true);
  model = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  let at = 4 + size;
  const number = () => {
    for (let n = 0, scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      n += (byte & 127) * scale;
      if (byte < 128) return n;
    }
  };
  lanes = model.threads.map((thread) => {
    const n = number();
    const start = new Float64Array(n + 1), state = new Uint8Array(n), wait = new Uint32Array(n);
    let now = thread.begin;
    for (let i = 0; i < n; ++i) {
      start[i] = now;
      now += number();
      state[i] = number();
      if (state[i] === 4) wait[i] = number();
    }
    start[n] = now;
    // Sums of time by state, every STEP slices: any interval's mix without a walk through it.
    const sums = new Float64Array((Math.ceil(n / STEP) + 1) * N), sum = new Float64Array(N);
    for (let i = 0; i < n; ++i) {
      if (i % STEP === 0) sums.set(sum, i / STEP * N);
      sum[state[i]] += start[i + 1] - start[i];
    }
    sums.set(sum, Math.ceil(n / STEP) * N);
    return {...thread, n, start, state, wait, sums};
  });
  const arrows = number();
  model.arrows = {n: arrows, from: new Float64Array(arrows), to: new Float64Array(arrows),
    by: new Uint32Array(arrows), who: new Uint32Array(arrows)};
  for (let i = 0, now = 0; i < arrows; ++i) {
    model.arrows.from[i] = now += number();
    model.arrows.to[i] = now + number();
    model.arrows.by[i] = number();
    model.arrows.who[i] = number();
  }
  build();
}

// The last slice that begins at or before t.
function slice_at(lane, t) {
  let low = 0, high = lane.n;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lane.start[middle] <= t) low = middle + 1; else high = middle;
  }
  return low - 1;
}

function sum_until(lane, t, into) {
  if (t <= lane.start[0] || lane.n === 0) return into.fill(0);
  const end = t >= lane.start[lane.n];
  const i = end ? lane.n : slice_at(lane, t), block = end ? Math.ceil(lane.n / STEP) : Math.floor(i / STEP);
  for (let s = 0; s < N; ++s) into[s] = lane.sums[block * N + s];
  if (end) return into;
  for (let k = block * STEP; k < i; ++k) into[lane.state[k]] += lane.start[k + 1] - lane.start[k];
  into[lane.state[i]] += t - lane.start[i];
  return into;
}

function read_theme() {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue('--' + name).trim();
  colours = STATES.map(get);
  for (const name of ['panel', 'line', 'text', 'dim', 'arrow']) theme[name] = get(name);
}

let pending = false;
function redraw() {
  if (!pending) requestAnimationFrame(draw);
  pending = true;
}

function draw() {
  pending = false;
  const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const g = canvas.getContext('2d');
  g.scale(ratio, ratio);
  g.fillStyle = theme.panel;
  g.fillRect(0, 0, width, height);
  const room = width - GUTTER, scale = (view.to - view.from) / room;
  const x_of = (t) => GUTTER + (t - view.from) / scale;
  g.font = '12px system-ui, "DejaVu Sans", sans-serif';
  g.textBaseline = 'middle';
  axis(g, width, height, x_of);

  const first = Math.floor(view.top / ROW), a = new Float64Array(N), b = new Float64Array(N);
  for (let row = first; row < shown.length; ++row) {
    const y = AXIS + row * ROW - view.top;
    if (y > height) break;
    const lane = shown[row];
    g.save();
    g.beginPath();
    g.rect(0, AXIS, width, height);
    g.clip();
    g.fillStyle = theme.text;
    g.save();
    g.beginPath();
    g.rect(0, y, GUTTER - 8, ROW);
    g.clip();
    g.fillText(lane.name, 10, y + ROW / 2);
    const used = g.measureText(lane.name + ' ').width;
    g.fillStyle = theme.dim;
    g.fillText(String(lane.tid), 12 + used, y + ROW / 2);
    g.restore();
    if (lane.n !== 0) draw_lane(g, lane, y + 4, ROW - 8, room, scale, x_of, a, b);
    g.restore();
  }
  arrows(g, height, x_of);
}

function draw_lane(g, lane, y, high, room, scale, x_of, a, b) {
  const i0 = Math.max(0, slice_at(lane, view.from)), i1 = Math.min(lane.n - 1, slice_at(lane, view.to));
  if (i1 - i0 < room * 2) {
    for (let i = i0; i <= i1; ++i) {
      const x0 = Math.max(GUTTER, x_of(lane.start[i])), x1 = Math.min(GUTTER + room, x_of(lane.start[i + 1]));
      if (x1 < GUTTER || x0 > GUTTER + room) continue;
      g.fillStyle = colours[lane.state[i]];
      g.fillRect(x0, y, Math.max(0.7, x1 - x0), high);
      if (x1 - x0 > 60 && lane.state[i] === 4) {
        g.save();
        g.beginPath();
        g.rect(x0, y, x1 - x0 - 4, high);
        g.clip();
        g.fillStyle = '#fff';
        g.fillText(model.waits[lane.wait[i]].object, x0 + 6, y + high / 2 + 0.5);
        g.restore();
      }
    }
    return;
  }
  sum_until(lane, view.from, a);
  for (let x = 0; x < room; ++x) {
    sum_until(lane, view.from + (x + 1) * scale, b);
    let total = 0;
    for (let s = 0; s < N; ++s) total += b[s] - a[s];
    for (let s = 0, done = 0; s < N && total > 0; ++s) {
      const part = (b[s] - a[s]) / total;
      if (part <= 0) continue;
      g.fillStyle = colours[s];
      g.fillRect(GUTTER + x, y + done * high, 1, part * high);
      done += part;
    }
    a.set(b);
  }
}

function axis(g, width, height, x_of) {
  const span = view.to - view.from, rough = span / Math.max(2, (width - GUTTER) / 110);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((n) => n * power >= rough) * power;
  g.strokeStyle = theme.line;
  for (let t = Math.ceil(view.from / step) * step; t <= view.to; t += step) {
    const x = Math.round(x_of(t)) + 0.5;
    g.beginPath();
    g.moveTo(x, AXIS - 6);
    g.lineTo(x, height);
    g.stroke();
    g.fillStyle = theme.dim;
    if (x < width - 50) g.fillText(time(t), x + 4, AXIS / 2);
  }
}

// From who let go to who was let go; only as many as the eye can follow.
function arrows(g, height, x_of) {
  const all = model.arrows, rows = new Map(shown.map((lane, row) => [lane.index, row]));
  let low = 0, high = all.n;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (all.from[middle] < view.from) low = middle + 1; else high = middle;
  }
  let last = low;
  while (last < all.n && all.from[last] <= view.to && last - low <= 400) ++last;
  if (last - low > 400) return;
  g.save();
  g.beginPath();
  g.rect(GUTTER, AXIS, canvas.clientWidth, height);
  g.clip();
  g.strokeStyle = g.fillStyle = theme.arrow;
  g.globalAlpha = 0.75;
  for (let i = low; i < last; ++i) {
    const from = rows.get(all.by[i]), to = rows.get(all.who[i]);
    if (from === undefined || to === undefined || from === to) continue;
    const x0 = x_of(all.from[i]), x1 = x_of(all.to[i]);
    const y0 = AXIS + (from + 0.5) * ROW - view.top, y1 = AXIS + (to + 0.5) * ROW - view.top;
    g.beginPath();
    g.moveTo(x0, y0);
    g.lineTo(x1, y1);
    g.stroke();
    const angle = Math.atan2(y1 - y0, x1 - x0);
    g.beginPath();
    g.moveTo(x1, y1);
    g.lineTo(x1 - 7 * Math.cos(angle - 0.4), y1 - 7 * Math.sin(angle - 0.4));
    g.lineTo(x1 - 7 * Math.cos(angle + 0.4), y1 - 7 * Math.sin(angle + 0.4));
    g.fill();
  }
  g.restore();
}

function look(from, to) {
  const span = Math.min(Math.max(to - from, 1000), model.end * 1.02), middle = (from + to) / 2;
  view.from = Math.min(Math.max(middle - span / 2, -model.end * 0.01), model.end * 1.01 - span);
  view.to = view.from + span;
  redraw();
}

function describe(event) {
  const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
  const lane = shown[Math.floor((y - AXIS + view.top) / ROW)];
  if (!lane || y < AXIS) return '';
  const head = `${lane.name} ${lane.tid}`;
  if (x < GUTTER) {
    return `${head}\nlives for ${time(lane.end - lane.begin)}, ends: ${lane.how}`;
  }
  const t = view.from + (x - GUTTER) * (view.to - view.from) / (box.width - GUTTER);
  const i = slice_at(lane, t);
  if (i < 0 || i >= lane.n) return '';
  let text = `${head}\n${LABELS[lane.state[i]]} for ${time(lane.start[i + 1] - lane.start[i])}, from ${time(lane.start[i])}`;
  if (lane.state[i] === 4) {
    const wait = model.waits[lane.wait[i]];
    text += `\n${wait.kind} ${wait.object}`;
    if (wait.site) text += `\nat ${wait.site}`;
    if (wait.holder) text += `\nheld by ${wait.holder}`;
  }
  return text;
}

function cell(row, text, css) {
  const td = row.insertCell();
  td.textContent = text;
  if (css) td.className = css;
}

function table(id, heads, rows) {
  const element = $(id), head = element.createTHead().insertRow(), body = element.createTBody();
  const fill = (list) => {
    body.replaceChildren();
    for (const row of list) {
      const tr = body.insertRow();
      row.forEach((value, i) => cell(tr, heads[i].show ? heads[i].show(value) : value, heads[i].css));
    }
  };
  heads.forEach((column, i) => {
    const th = document.createElement('th');
    th.textContent = column.name;
    if (column.css) th.className = 'l';
    th.addEventListener('click', () => {
      const sorted = [...rows].sort((p, q) => typeof p[i] === 'number' ? q[i] - p[i] : String(p[i]).localeCompare(q[i]));
      fill(sorted);
    });
    head.append(th);
  });
  fill(rows);
}

function finding(text, maybe) {
  const box = document.createElement('div');
  box.className = maybe ? 'finding maybe' : 'finding';
  box.textContent = text;
  $('findings').append(box);
}

function search(words) {
  const wanted = words.toLowerCase();
  const hits = new Set(model.waits.flatMap((wait, i) =>
    `${wait.object} ${wait.site}`.toLowerCase().includes(wanted) ? [i] : []));
  shown = lanes.filter((lane) => wanted === '' || `${lane.name} ${lane.tid}`.toLowerCase().includes(wanted) ||
    lane.waits.some((wait) => hits.has(wait)));
  view.top = 0;
  redraw();
}

function build() {
  lanes.forEach((lane, index) => {
    lane.index = index;
    lane.waits = [...new Set(lane.wait.filter((wait, i) => lane.state[i] === 4))];
  });
  shown = lanes;
  document.title = 'thrum: ' + model.command;
  $('command').textContent = model.command;
  $('ending').textContent = `${model.ending} after ${time(model.end)}; ${count(lanes.length)} threads`;
  for (const line of model.level) {
    const p = document.createElement('p');
    p.textContent = line;
    $('level').append(p);
  }
  for (let s = 0; s < N; ++s) {
    if (!lanes.some((lane) => lane.sums[lane.sums.length - N + s] > 0)) continue;
    const item = document.createElement('span'), mark = document.createElement('i');
    mark.style.background = `var(--${STATES[s]})`;
    item.append(mark, LABELS[s]);
    $('legend').append(item);
  }
  for (const text of model.deadlocks) finding(text, false);
  for (const text of model.inversions) finding(text, true);
  $('lanes').style.height = Math.min(AXIS + ROW * Math.max(lanes.length, 2) + 8, innerHeight * 0.62) + 'px';
  const left = {css: 'l w'};
  table('threads', [{name: 'thread', css: 'l name'}, {name: 'id', show: String}, {name: 'life', show: time},
    {name: 'running', show: time}, {name: 'ready', show: time}, {name: 'blocked', show: time},
    {name: 'switches', show: count}, {name: 'forced', show: count}, {name: 'to own', show: count},
    {name: 'ended', ...left}],
  model.threads.map((t) => [t.name, t.tid, t.end - t.begin, t.ns[2] + t.ns[3], t.ns[0] + t.ns[1], t.ns[4],
    t.switches[0] + t.switches[1], t.switches[1], t.switches[2], t.how]));
  table('locks', [{name: 'lock', css: 'l name'}, {name: 'waited', show: time}, {name: 'times', show: count},
    {name: 'of', show: count}, {name: 'median', show: time}, {name: 'p99', show: time}, {name: 'longest', show: time},
    {name: 'held', show: time}, {name: 'taken at', ...left}, {name: 'held meanwhile by', ...left}], model.locks);
  read_theme();
  look(0, model.end);
  document.documentElement.dataset.ready = '1';
}

canvas.addEventListener('wheel', (event) => {
  event.preventDefault();
  const box = canvas.getBoundingClientRect(), span = view.to - view.from;
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    const by = (event.deltaX || event.deltaY) / box.width * span;
    return look(view.from + by, view.to + by);
  }
  const share = Math.max(0, event.clientX - box.left - GUTTER) / (box.width - GUTTER);
  const at = view.from + share * span, zoom = Math.exp(event.deltaY * 0.0015);
  look(at - share * span * zoom, at + (1 - share) * span * zoom);
}, {passive: false});
let drag = null;
canvas.addEventListener('pointerdown', (event) => {
  drag = {x: event.clientX, y: event.clientY, ...view};
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener('pointerup', () => { drag = null; });
canvas.addEventListener('pointermove', (event) => {
  if (drag) {
    const by = (drag.x - event.clientX) / (canvas.clientWidth - GUTTER) * (drag.to - drag.from);
    const most = Math.max(0, shown.length * ROW + AXIS - canvas.clientHeight);
    view.top = Math.min(most, Math.max(0, drag.top + drag.y - event.clientY));
    look(drag.from + by, drag.to + by);
  }
  tip.textContent = drag ? '' : describe(event);
  tip.style.display = tip.textContent ? 'block' : 'none';
  tip.style.left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8) + 'px';
  tip.style.top = Math.min(event.clientY + 14, innerHeight - tip.offsetHeight - 8) + 'px';
});
canvas.addEventListener('pointerleave', () => { tip.style.display = 'none'; });
canvas.addEventListener('keydown', (event) => {
  const span = view.to - view.from;
  const moves = {ArrowLeft: [-0.2, -0.2], ArrowRight: [0.2, 0.2], '+': [0.2, -0.2], '-': [-0.3, 0.3]};
  const move = moves[event.key];
  if (move) look(view.from + move[0] * span, view.to + move[1] * span);
});
$('search').addEventListener('input', (event) => search(event.target.value));
$('all').addEventListener('click', () => look(0, model.end));
$('theme').addEventListener('click', () => {
  document.documentElement.classList.toggle('dark');
  read_theme();
  redraw();
});
if (matchMedia('(prefers-color-scheme: dark)').matches) document.documentElement.classList.add('dark');
addEventListener('resize', redraw);
load().catch((error) => { $('ending').textContent = 'This page is damaged: ' + error.message; });
