// One failed execution. All names come from the checked program: they are only ever put in as text.
const LONG_RUN = 10, EDGE = 3;  // of one thread in a row; of those, how many are shown at both ends
let model = null, marked = null;

function make(kind, classes, text) {
  const element = document.createElement(kind);
  if (classes) element.className = classes;
  if (text !== undefined) element.textContent = text;
  return element;
}
const hue = (thread) => `t${thread % 8}`;
const chip = (thread) => make('span', `chip ${hue(thread)}`, model.threads[thread]);

function frames(stack) {
  const list = make('ul', 'frames');
  for (const [name, place] of stack) {
    const line = make('li');
    line.append(make('span', '', name), make('span', '', place));
    list.append(line);
  }
  return list;
}

const SVG = 'http://www.w3.org/2000/svg';
function draw(parent, kind, attributes, text) {
  const element = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
}

// The threads that wait for each other in a ring, in that order; empty if there is no ring.
function ring_of(waiting) {
  const next = new Map(waiting.filter((w) => w.holder !== null).map((w) => [w.thread, w]));
  for (const first of next.keys()) {
    const seen = [];
    let at = first;
    while (next.has(at) && !seen.includes(at)) {
      seen.push(at);
      at = next.get(at).holder;
    }
    if (at === first && seen.length > 1) return seen.map((thread) => next.get(thread));
  }
  return [];
}

function draw_ring(ring) {
  const R = 26, n = ring.length, radius = n === 2 ? 105 : Math.max(95, 38 * n), width = 2 * radius + 220;
  const height = n === 2 ? 190 : 2 * radius + 90;
  const svg = document.createElementNS(SVG, 'svg');
  for (const [name, value] of Object.entries({class: 'ring', width, height, role: 'img', viewBox: `${-width / 2} ${-height / 2} ${width} ${height}`})) {
    svg.setAttribute(name, value);
  }
  const angle = (i) => (n === 2 ? Math.PI : -Math.PI / 2) + 2 * Math.PI * i / n;
  const at = (i, r = radius) => [r * Math.cos(angle(i)), r * Math.sin(angle(i))];
  const short = (text) => text.length > 22 ? text.slice(0, 21) + '…' : text;
  ring.forEach((one, i) => {
    const [x, y] = at(i), [u, v] = at(i + 1), bend = n === 2 ? 1.1 * radius : 1.15 * radius;
    const [cx, cy] = at(i + 0.5, bend);
    // A curve from rim to rim, bent outwards.
    const towards = (px, py, qx, qy, d) => { const l = Math.hypot(qx - px, qy - py); return [px + (qx - px) * d / l, py + (qy - py) * d / l]; };
    const [ax, ay] = towards(x, y, cx, cy, R + 3), [bx, by] = towards(u, v, cx, cy, R + 9);
    draw(svg, 'path', {d: `M${ax} ${ay} Q${cx} ${cy} ${bx} ${by}`});
    const [tx, ty] = towards(u, v, cx, cy, R + 3), dx = (tx - bx) / 6, dy = (ty - by) / 6;
    draw(svg, 'path', {class: 'tip', d: `M${tx} ${ty} L${bx - dx + 4.5 * dy} ${by - dy - 4.5 * dx} L${bx - dx - 4.5 * dy} ${by - dy + 4.5 * dx}Z`});
    draw(svg, 'text', {class: 'label', x: (ax + 2 * cx + bx) / 4, y: (ay + 2 * cy + by) / 4}, short(one.object));
  });
  ring.forEach((one, i) => {
    const [x, y] = at(i), name = model.threads[one.thread].split(' ')[0];
    draw(svg, 'circle', {class: hue(one.thread), cx: x, cy: y, r: R});
    draw(svg, 'text', {class: `name ${hue(one.thread)}`, x, y}, name);
  });
  return svg;
}

function show_waiting(why) {
  why.append(make('h2', '', 'Who waits for what'));
  const card = make('div', 'card waiting'), list = make('div', 'waits'), ring = ring_of(model.waiting);
  if (ring.length > 0 && ring.length <= 8) card.append(draw_ring(ring));
  for (const one of model.waiting) {
    const line = make('span'), at = make('span', 'mono dim', ` ${one.place}`);
    line.append(`${one.verb} `, make('span', 'object', one.object), one.rest, at);
    if (one.stack.length > 1) {
      const more = make('details'), title = make('summary', 'dim', 'stack');
      more.append(title, frames(one.stack));
      line.append(more);
    }
    list.append(chip(one.thread), line);
  }
  card.append(list);
  why.append(card);
}

function show_accesses(why) {
  why.append(make('h2', '', 'The two accesses'));
  const cards = make('div', 'cards');
  for (const one of model.accesses) {
    const card = make('div', `card thread ${hue(one.thread)}`), title = make('h3');
    title.append(chip(one.thread), ` ${one.what}`);
    card.append(title, frames(one.stack.length > 0 ? one.stack : [[one.function, one.place]]));
    cards.append(card);
  }
  why.append(cards);
  if (model.missing) why.append(make('p', 'missing', model.missing));
}

function show_why() {
  const why = $('why');
  if (model.waiting.length > 0) show_waiting(why);
  if (model.accesses.length > 0) show_accesses(why);
  if (model.stack.length > 0) {
    why.append(make('h2', '', `Where ${model.threads[model.thread]} was`));
    const card = make('div', `card thread ${hue(model.thread)}`);
    card.append(frames(model.stack));
    why.append(card);
  }
  if (model.errors.length > 0) {
    why.append(make('h2', '', 'What the program wrote to standard error'), make('div', 'errors', model.errors.join('\n')));
  }
}

// Marks all steps with the same object; the same again marks none.
function mark(object) {
  marked = marked === object ? null : object;
  for (const cell of document.querySelectorAll('.step')) cell.classList.toggle('same', marked !== null && cell.object === marked);
}

function step_cell(step) {
  const cell = make('div', `step ${hue(step.thread)}`), same_file = model.file && step.place;
  cell.object = step.object;
  cell.tabIndex = 0;
  if (step.place) cell.append(make('span', 'at', same_file ? step.place.slice(model.file.length) : step.place));
  cell.append(step.verb);
  if (step.object) {
    const name = make('b', '', step.object);
    name.title = 'Mark all steps with it';
    name.addEventListener('click', (event) => { event.stopPropagation(); mark(step.object); });
    cell.append(' ', name);
  }
  cell.append(step.rest || '');
  for (const note of step.notes || []) cell.append(make('span', 'note', `“${note}”`));
  if (step.stack !== undefined) {
    cell.append(frames(model.stacks[step.stack]));
    cell.title = 'Show or hide the stack';
    const toggle = () => cell.classList.toggle('open');
    cell.addEventListener('click', toggle);
    cell.addEventListener('keydown', (event) => { if (event.key === 'Enter') toggle(); });
  }
  return cell;
}

function place(element, row, from, to = from) {
  element.style.gridRow = row;
  element.style.gridColumn = `${from + 2} / ${to + 3}`;
  $('grid').append(element);
}

// From one thread's column to another's.
function turn(row, from, to, preempts) {
  const left = Math.min(from, to), right = Math.max(from, to);
  const line = make('div', `turn ${to > from ? 'right' : 'left'}${preempts ? ' preempts' : ''}`);
  line.style.setProperty('--span', right - left + 1);
  line.append(make('i'));
  if (preempts) line.append(make('span', '', `${model.threads[to].split(' ')[0]} preempts ${model.threads[from].split(' ')[0]}`));
  place(line, row, left, right);
}

function show_schedule() {
  const grid = $('grid'), steps = model.steps, n = model.threads.length;
  grid.style.gridTemplateColumns = `52px repeat(${n}, minmax(${n > 6 ? 190 : 210}px, 1fr))`;
  grid.append(make('div', 'head number'));
  model.threads.forEach((name, i) => place(make('div', `head ${hue(i)}`, name), 1, i));
  let row = 2;
  const add = (index, first, last) => {
    const cell = step_cell(steps[index]), number = make('div', 'number', index + 1);
    for (const element of [cell, number]) {
      element.classList.toggle('first', first);
      element.classList.toggle('last', last);
    }
    number.style.gridRow = row;
    number.style.gridColumn = 1;
    grid.append(number);
    place(cell, row++, steps[index].thread);
    return [number, cell];
  };
  for (let begin = 0; begin < steps.length;) {
    const {thread, preempts} = steps[begin];
    let end = begin;
    while (end < steps.length && steps[end].thread === thread) ++end;
    if (begin > 0) turn(row++, steps[begin - 1].thread, thread, preempts);
    else place(make('div', 'gap'), row++, 0);
    const hidden = end - begin > LONG_RUN ? [begin + EDGE, end - EDGE] : [end, end];
    for (let k = begin; k < end; ++k) {
      if (k === hidden[0]) {
        // In their rows already, so that none moves when they are shown.
        const more = make('button', `more ${hue(thread)}`, `… ${hidden[1] - hidden[0]} more steps`);
        place(more, row, thread);
        const first_row = row;
        row += hidden[1] - hidden[0];
        more.addEventListener('click', () => {
          const after = row;
          more.remove();
          row = first_row;
          for (let i = hidden[0]; i < hidden[1]; ++i) add(i, false, false);
          row = after;
        });
        k = hidden[1];
      }
      add(k, k === begin, k === end - 1);
    }
    begin = end;
  }
  const where = model.end === 'clean' ? 0 : model.thread;
  place(make('div', `verdict ${model.end}`, `${model.verdict}${model.summary ? ': ' + model.summary : ''}`),
        row, model.waiting.length > 1 ? 0 : where, model.waiting.length > 1 ? n - 1 : where);
  $('hint').textContent = `${model.file ? `Lines of ${model.file}. ` : ''}From top to bottom. Click a step for its stack, a name to mark it everywhere.`;
}

async function copy() {
  // The clipboard is not there for files in every browser.
  const range = document.createRange();
  range.selectNodeContents($('line'));
  getSelection().removeAllRanges();
  getSelection().addRange(range);
  let done = false;
  try {
    await navigator.clipboard.writeText(model.replay);
    done = true;
  } catch { done = document.execCommand('copy'); }
  $('copy').textContent = done ? 'Copied' : 'Selected';
}

async function load() {
  model = JSON.parse(new TextDecoder().decode(await unpack($('data').textContent)));
  $('head').className = model.end;
  $('verdict').textContent = model.verdict;
  $('summary').textContent = model.summary;
  $('ending').textContent = [model.command, model.found].filter((text) => text).join(' · ');
  document.title = `${model.verdict} · ${model.command}`;
  $('line').textContent = model.replay;
  $('replay').hidden = !model.replay;
  show_why();
  show_schedule();
  document.documentElement.dataset.ready = '1';
}

$('copy').addEventListener('click', copy);
follow_theme(() => {});
load().catch((error) => { $('ending').textContent = 'This page is damaged: ' + error.message; });
