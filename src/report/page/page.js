// What the page shows and how it is moved.
const MOST_ROWS = 200;
const NOT_SEEN = 'a place not seen';  // the site of a wait of which only the kernel told
const LABELS = ['new', 'ready, no processor', 'running', 'runnable', 'waits for a lock', 'in the kernel',
  'waits for others', 'asleep'];
let model = null, objects = [], shown = [], whole = {from: 0, to: 1}, view = {from: 0, to: 1, top: 0};
let numbers = [], pale = [], theme = {}, pending = false, wanted = null;
let hover = {lane: null, slice: -1, t: null};

function time(ns) {
  for (const [unit, size] of [['s', 1e9], ['ms', 1e6], ['µs', 1e3]]) {
    if (ns >= size) return (ns / size).toFixed(ns >= 100 * size ? 0 : ns >= 10 * size ? 1 : 2) + ' ' + unit;
  }
  return Math.round(ns) + ' ns';
}
const count = (n) => n.toLocaleString('en');
const label = (number) => number === 0 ? '' : `${model.lanes[number - 1].name} ${model.lanes[number - 1].tid}`;

function redraw() {
  if (!pending) requestAnimationFrame(draw);
  pending = true;
}

function read_theme() {
  const style = getComputedStyle(document.documentElement);
  const get = (name) => style.getPropertyValue('--' + name).trim();
  for (const name of ['panel', 'line', 'strong', 'text', 'dim', 'accent', 'arrow', 'halo', 'on-blocked']) theme[name] = get(name);
  const long = (text) => text.length === 4 ? '#' + [...text.slice(1)].map((c) => c + c).join('') : text;
  theme.panel_number = colour_number(long(theme.panel));
  numbers = STATES.map((name) => colour_number(long(get(name))));
  // A quarter of the colour, for what was not searched for.
  const mixed = (a, b) => [0, 8, 16].reduce((sum, shift) => sum + (((a >>> shift & 255) + 3 * (b >>> shift & 255) >> 2) << shift >>> 0), 0xff000000);
  pale = numbers.map((number) => mixed(number, theme.panel_number) >>> 0);
}

function look(from, to) {
  const most = whole.to - whole.from, span = Math.min(Math.max(to - from, 1000), most), middle = (from + to) / 2;
  view.from = Math.min(Math.max(middle - span / 2, whole.from), whole.to - span);
  view.to = view.from + span;
  redraw();
}

function scroll(top) {
  view.top = Math.min(Math.max(0, shown.length * ROW + AXIS + OVERVIEW - canvas.clientHeight), Math.max(0, top));
  redraw();
}

function zoom(factor, at = (view.from + view.to) / 2) {
  look(at - (at - view.from) * factor, at + (view.to - at) * factor);
}

function pick(event) {
  const box = canvas.getBoundingClientRect(), x = event.clientX - box.left, y = event.clientY - box.top;
  const lane = y >= AXIS + OVERVIEW && shown[Math.floor((y - AXIS - OVERVIEW + view.top) / ROW)] || null;
  if (x < GUTTER) return {lane, slice: -1, t: null};
  const t = view.from + (x - GUTTER) * (view.to - view.from) / (box.width - GUTTER);
  const slice = lane ? slice_at(lane, t) : -1;
  return {lane, slice: slice >= 0 && slice < lane.n ? slice : -1, t};
}

function describe({lane, slice, t}) {
  if (!lane) return [];
  const head = `${lane.name} ${lane.tid}`, of = model.processes > 1 ? ` of process ${lane.pid}` : '';
  if (slice < 0) {
    const parts = STATES.slice(0, 5).flatMap((state, s) => lane.ns[s] ? [`${state} ${time(lane.ns[s])}`] : []);
    const life = `${t !== null && t < lane.begin ? 'not born yet; ' : t !== null && t > lane.end ? 'gone; ' : ''}lives for ${time(lane.end - lane.begin)}${of}`;
    return [head, `${life}\n${parts.join(', ')}\nends: ${lane.how}`];
  }
  const from = lane.start[slice], k = lane.base + slice;
  let text = `${LABELS[lane.state[slice]]} for ${time(lane.start[slice + 1] - from)}\nfrom ${moment(from, 1000)}${of}`;
  if (waits_for(lane, slice)) {
    const {object, site, holder, waker, woken} = model.waits;
    text += `\n\n${model.objects[object[k]]}`;
    if (model.sites[site[k]] !== NOT_SEEN) text += `\nat ${model.sites[site[k]]}`;
    if (holder[k] && !model.objects[object[k]].startsWith('end of ')) text += `\nheld by ${label(holder[k])}`;
    if (waker[k]) text += `\nlet go by ${label(waker[k])}, ran ${time(Math.max(0, went_on(lane, slice) - woken[k]))} later`;
  }
  return [head, text];
}

function show_tip(event) {
  const [head, text] = describe(hover);
  tip.replaceChildren();
  tip.style.display = head ? 'block' : 'none';
  if (!head) return;
  const strong = document.createElement('b');
  strong.textContent = head;
  tip.append(strong, text);
  tip.style.left = Math.max(4, Math.min(event.clientX + 16, innerWidth - tip.offsetWidth - 8)) + 'px';
  const below = event.clientY + 18;
  tip.style.top = Math.max(4, below + tip.offsetHeight + 8 > innerHeight ? event.clientY - tip.offsetHeight - 12 : below) + 'px';
}

function table(id, heads, rows, chosen) {
  const element = $(id), head = element.createTHead().insertRow(), body = element.createTBody();
  let order = rows.map((row, i) => i), most = MOST_ROWS;
  const fill = () => {
    body.replaceChildren();
    for (const i of order.slice(0, most)) {
      const tr = body.insertRow();
      tr.addEventListener('click', () => chosen(i));
      rows[i].forEach((value, column) => {
        const td = tr.insertCell();
        td.textContent = heads[column].show ? heads[column].show(value) : value;
        if (heads[column].css) td.className = heads[column].css;
        if (heads[column].css === 'l name') td.title = value;
      });
    }
    if (order.length > most) {
      const td = body.insertRow().insertCell();
      td.colSpan = heads.length;
      td.className = 'l dim';
      td.textContent = `and ${count(order.length - most)} more: show`;
      td.addEventListener('click', () => { most = Infinity; fill(); });
    }
  };
  heads.forEach((column, k) => {
    const th = document.createElement('th');
    th.textContent = column.name;
    if (column.css) th.className = 'l';
    th.addEventListener('click', () => {
      for (const other of head.cells) other.removeAttribute('aria-sort');
      th.setAttribute('aria-sort', 'descending');
      order.sort((p, q) => typeof rows[p][k] === 'number' ? rows[q][k] - rows[p][k] : String(rows[p][k]).localeCompare(rows[q][k]));
      fill();
    });
    head.append(th);
  });
  fill();
}

function finding(text, maybe) {
  const box = document.createElement('div');
  box.className = maybe ? 'finding maybe' : 'finding';
  box.textContent = text.trimEnd();
  $('findings').append(box);
}

// Whether a slice is among what was searched for.
function matches(lane, i) {
  if (wanted === null || wanted.lanes.has(lane.index)) return true;
  const k = lane.base + i;
  return waits_for(lane, i) && (wanted.objects.has(model.waits.object[k]) || wanted.sites.has(model.waits.site[k]));
}

function search(words) {
  const hit = (text) => text.toLowerCase().includes(words.trim().toLowerCase());
  const found = (list) => new Set(list.flatMap((text, i) => hit(text) ? [i] : []));
  wanted = words.trim() === '' ? null : {objects: found(model.objects), sites: found(model.sites),
    lanes: new Set(model.lanes.flatMap((lane) => hit(`${lane.name} ${lane.tid}`) ? [lane.index] : []))};
  shown = wanted === null ? model.lanes : model.lanes.filter((lane) => {
    if (wanted.lanes.has(lane.index)) return true;
    if (wanted.objects.size + wanted.sites.size === 0) return false;
    for (let i = 0; i < lane.n; ++i) if (matches(lane, i)) return true;
    return false;
  });
  $('found').textContent = wanted === null ? '' : `${count(shown.length)} of ${count(model.lanes.length)} threads`;
  hover = {lane: null, slice: -1, t: null};
  scroll(0);
}

function show_object(name) {
  $('search').value = name;
  search(name);
  canvas.scrollIntoView({block: 'nearest'});
}

function show_thread(i) {
  $('search').value = '';
  search('');
  hover = {lane: model.lanes[i], slice: -1, t: null};
  look(Math.max(model.lanes[i].begin, whole.from), Math.min(model.lanes[i].end, whole.to));
  scroll((i - 2) * ROW);
  canvas.scrollIntoView({block: 'nearest'});
}

function size_lanes() {
  const rows = AXIS + OVERVIEW + ROW * Math.max(model.lanes.length, 2) + 8;
  $('lanes').style.height = Math.min(rows, Math.max(260, innerHeight * 0.66)) + 'px';
}

function show_head() {
  document.title = 'thrum: ' + model.command;
  $('command').textContent = model.command;
  model.processes = new Set(model.threads.map((thread) => thread.pid)).size;
  const threads = `${count(model.lanes.length)} thread${model.lanes.length === 1 ? '' : 's'}`;
  $('ending').textContent = `${model.ending} after ${time(model.end)}; ${threads} in ${count(model.processes)} process${model.processes === 1 ? '' : 'es'}`;
  for (const line of model.level) {
    const p = document.createElement('p');
    p.textContent = line;
    $('level').append(p);
  }
  for (const text of model.deadlocks) finding(text, false);
  for (const text of model.inversions) finding(text, true);
  STATES.forEach((state, s) => {
    const lives = (lane) => s < BLOCKED ? lane.ns[s] !== 0 : lane.state.includes(s);
    if (!model.lanes.some(lives)) return;
    const item = document.createElement('span'), box = document.createElement('i');
    box.style.background = `var(--${state})`;
    item.append(box, LABELS[s]);
    $('legend').append(item);
  });
}

function show_tables() {
  const wide = {css: 'l w'};
  table('threads', [{name: 'thread', css: 'l name'}, {name: 'id', show: String}, {name: 'life', show: time},
    {name: 'running', show: time}, {name: 'ready', show: time}, {name: 'blocked', show: time},
    {name: 'switches', show: count}, {name: 'forced', show: count}, {name: 'to own', show: count}, {name: 'ended', ...wide}],
  model.threads.map((t) => [t.name, t.tid, t.end - t.begin, t.ns[2] + t.ns[3], t.ns[0] + t.ns[1], t.ns[4],
    t.switches[0] + t.switches[1], t.switches[1], t.switches[2], t.how]), show_thread);
  table('locks', [{name: 'lock', css: 'l name'}, {name: 'waited', show: time}, {name: 'times', show: count},
    {name: 'of', show: count}, {name: 'median', show: time}, {name: 'p99', show: time}, {name: 'longest', show: time},
    {name: 'held', show: (ns) => ns === 0 ? '' : time(ns)}, {name: 'taken at', ...wide}, {name: 'held meanwhile by', ...wide}],
  model.locks, (i) => show_object(model.locks[i][0]));
  $('other_part').hidden = model.others.length === 0;
  table('others', [{name: 'for', css: 'l name'}, {name: 'waited', show: time}, {name: 'times', show: count}, {name: 'median', show: time},
    {name: 'p99', show: time}, {name: 'longest', show: time}, {name: 'at', ...wide}, {name: 'let go by', ...wide}],
  model.others, (i) => show_object(model.others[i][0]));
  show_queues();
}

async function load() {
  model = decode(await unpack($('data').textContent));
  objects = model.objects.map((text) => text.replace(/^(mutex|lock|futex|semaphore|condition|event|queue) (?!at )/, ''));
  shown = model.lanes;
  // Before the first thread and after the last there is nothing to see.
  whole = {from: Math.min(model.end, ...model.threads.map((t) => t.begin)), to: Math.max(1, ...model.threads.map((t) => t.end))};
  const margin = Math.max(1000, (whole.to - whole.from) * 0.004);
  whole = {from: whole.from - margin, to: whole.to + margin};
  read_theme();
  show_head();
  size_queues();
  size_lanes();
  look(whole.from, whole.to);
  requestAnimationFrame(() => performance.mark('drawn'));
  requestAnimationFrame(() => setTimeout(() => {
    show_tables();
    document.documentElement.dataset.ready = '1';
  }));
}

canvas.addEventListener('wheel', (event) => {
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
    event.preventDefault();
    const by = (event.deltaX || event.deltaY) / canvas.clientWidth * (view.to - view.from);
    return look(view.from + by, view.to + by);
  }
  const {t} = pick(event);
  if (t === null) {  // over the names: the lanes, or the page
    const before = view.top;
    scroll(view.top + event.deltaY);
    if (view.top !== before) event.preventDefault();
    return undefined;
  }
  event.preventDefault();
  return zoom(Math.exp(event.deltaY * 0.0015), t);
}, {passive: false});

let drag = null;
const in_overview = (event) => event.clientY - canvas.getBoundingClientRect().top < OVERVIEW;
function to_overview(event) {
  const box = canvas.getBoundingClientRect(), span = view.to - view.from;
  const at = whole.from + (event.clientX - box.left - GUTTER) / (box.width - GUTTER) * (whole.to - whole.from);
  look(at - span / 2, at + span / 2);
}
canvas.addEventListener('pointerdown', (event) => {
  drag = {x: event.clientX, y: event.clientY, overview: in_overview(event), ...view};
  if (drag.overview) to_overview(event);
  canvas.setPointerCapture(event.pointerId);
});
canvas.addEventListener('pointerup', () => {
  drag = null;
  canvas.classList.remove('drag');
});
canvas.addEventListener('pointermove', (event) => {
  if (drag && drag.overview) return to_overview(event);
  if (drag) {
    canvas.classList.add('drag');
    const by = (drag.x - event.clientX) / (canvas.clientWidth - GUTTER) * (drag.to - drag.from);
    look(drag.from + by, drag.to + by);
    scroll(drag.top + drag.y - event.clientY);
    hover = {lane: null, slice: -1, t: null};
  } else {
    hover = pick(event);
    redraw();
  }
  return show_tip(event);
});
canvas.addEventListener('pointerleave', () => {
  hover = {lane: null, slice: -1, t: null};
  tip.style.display = 'none';
  redraw();
});
canvas.addEventListener('dblclick', (event) => {
  const {t} = pick(event);
  if (t !== null) zoom(0.2, t);
});
addEventListener('keydown', (event) => {
  if (model === null || event.target.tagName === 'INPUT' || event.ctrlKey || event.metaKey || event.altKey) return;
  const on_canvas = document.activeElement === canvas, span = view.to - view.from;
  const keys = {
    '+': () => zoom(0.6), '=': () => zoom(0.6), '-': () => zoom(1 / 0.6), '0': () => look(whole.from, whole.to),
    ArrowLeft: () => look(view.from - 0.2 * span, view.to - 0.2 * span),
    ArrowRight: () => look(view.from + 0.2 * span, view.to + 0.2 * span),
    '/': () => $('search').focus(),
    ...(on_canvas ? {ArrowUp: () => scroll(view.top - 2 * ROW), ArrowDown: () => scroll(view.top + 2 * ROW)} : {}),
  };
  if (!Object.hasOwn(keys, event.key)) return;
  event.preventDefault();
  keys[event.key]();
});
$('search').addEventListener('input', (event) => search(event.target.value));
$('all').addEventListener('click', () => look(whole.from, whole.to));
$('closer').addEventListener('click', () => zoom(0.6));
$('wider').addEventListener('click', () => zoom(1 / 0.6));
follow_theme(() => {
  if (model === null) return;
  read_theme();
  redraw();
});
addEventListener('resize', () => {
  if (model === null) return;
  size_lanes();
  scroll(view.top);
});
load().catch((error) => { $('ending').textContent = 'This page is damaged: ' + error.message; });
