// Drawing: lanes are filled pixel by pixel into one image, whatever the number of slices; what is
// written and what points goes over it.
const ROW = 24, AXIS = 28, GUTTER = 200, OVERVIEW = 30, FEW_ARROWS = 300;

const g = canvas.getContext('2d', {alpha: false});
let image = null, pixels = null;
const mix_a = new Float64Array(N), mix_b = new Float64Array(N);

function colour_number(text) {
  const n = parseInt(text.slice(1), 16);
  return (0xff000000 | (n & 0xff) << 16 | n & 0xff00 | n >> 16) >>> 0;
}

// What fits of a text, with … for the rest.
const fitted = new Map();
function fit(text, width) {
  if (width < 8) return '';
  const key = text + '\n' + Math.floor(width / 8);
  let found = fitted.get(key);
  if (found !== undefined) return found;
  found = text;
  if (g.measureText(text).width > width) {
    let low = 0, high = text.length;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (g.measureText(text.slice(0, middle) + '…').width <= width) low = middle; else high = middle - 1;
    }
    found = low === 0 ? '' : text.slice(0, low) + '…';
  }
  if (fitted.size > 20000) fitted.clear();
  fitted.set(key, found);
  return found;
}

function draw() {
  pending = false;
  const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  const wide = Math.max(1, Math.round(width * ratio)), high = Math.max(1, Math.round(height * ratio));
  if (canvas.width !== wide || canvas.height !== high || image === null) {
    canvas.width = wide;
    canvas.height = high;
    image = g.createImageData(wide, high);
    pixels = new Uint32Array(image.data.buffer);
  }
  pixels.fill(theme.panel_number);
  const head = AXIS + OVERVIEW, room = width - GUTTER, scale = (view.to - view.from) / room;
  const x_of = (t) => GUTTER + (t - view.from) / scale;
  const first = Math.floor(view.top / ROW), last = Math.min(shown.length, Math.ceil((view.top + height - head) / ROW));
  const left = Math.round(GUTTER * ratio), detailed = [];
  let mixed = false;  // whether a lane has more slices than can be told apart
  for (let row = first; row < last; ++row) {
    const lane = shown[row], y = head + row * ROW - view.top;
    const y0 = Math.max(Math.round(head * ratio), Math.round((y + 4) * ratio)), y1 = Math.min(high, Math.round((y + ROW - 4) * ratio));
    if (lane.n === 0 || y1 <= y0) continue;
    const i0 = Math.max(0, slice_at(lane, view.from)), i1 = Math.min(lane.n - 1, slice_at(lane, view.to));
    if (i1 - i0 < room / 3) {
      detailed.push([lane, y, i0, i1]);
      fill_slices(lane, i0, i1, left, wide, y0, y1, scale / ratio);
    } else {
      mixed = true;
      fill_mix(lane, left, wide, y0, y1, scale / ratio, view.from);
    }
  }
  fill_overview(left, wide, Math.round(4 * ratio), Math.round((OVERVIEW - 6) * ratio));
  g.setTransform(1, 0, 0, 1, 0, 0);
  g.putImageData(image, 0, 0);
  g.setTransform(ratio, 0, 0, ratio, 0, 0);
  g.font = '12px system-ui, "DejaVu Sans", sans-serif';
  g.textBaseline = 'middle';
  draw_window(room);
  axis(width, height, x_of);
  g.save();
  g.beginPath();
  g.rect(0, head, width, height - head);
  g.clip();
  names(first, last, head, width);
  for (const [lane, y, i0, i1] of detailed) labels(lane, y, i0, i1, x_of, width);
  arrows(head, width, height, x_of, detailed, mixed);
  pointer(head, height, x_of);
  g.restore();
  draw_queues();
}

// Each slice as wide as it is, at least one pixel.
function fill_slices(lane, i0, i1, left, wide, y0, y1, scale) {
  for (let i = i0; i <= i1; ++i) {
    const x0 = Math.max(left, left + Math.round((lane.start[i] - view.from) / scale));
    const x1 = Math.min(wide, Math.max(left + Math.round((lane.start[i + 1] - view.from) / scale), x0 + 1));
    if (x1 <= left || x0 >= wide || lane.start[i + 1] < view.from) continue;
    const colour = matches(lane, i) ? numbers[lane.state[i]] : pale[lane.state[i]];
    for (let y = y0; y < y1; ++y) pixels.fill(colour, y * wide + x0, y * wide + x1);
  }
}

// Each column of pixels as the states share its time.
function fill_mix(lane, left, wide, y0, y1, scale, from) {
  let a = mix_a, b = mix_b;
  sum_until(lane, from, a);
  for (let x = left; x < wide; ++x) {
    sum_until(lane, from + (x - left + 1) * scale, b);
    let total = 0;
    for (let s = 0; s < N; ++s) total += b[s] - a[s];
    if (total > 0) {
      // A column where the thread was not born yet, or gone, is filled as far as it lived.
      const high = y1 - y0;
      let y = y0, done = 0;
      for (let s = 0; s < N; ++s) {
        done += b[s] - a[s];
        const end = y0 + Math.round(done / total * high);
        for (; y < end; ++y) pixels[y * wide + x] = numbers[s];
      }
    }
    [a, b] = [b, a];
  }
}

// All threads at once over the whole time; made once for each width and list of lanes.
let overview = null;
function fill_overview(left, wide, y0, y1) {
  const columns = wide - left;
  if (overview === null || overview.columns !== columns || overview.shown !== shown) {
    overview = {columns, shown, mix: new Float64Array(Math.max(0, columns) * N)};
    const scale = (whole.to - whole.from) / columns, some = shown.length > 400 ? Math.ceil(shown.length / 400) : 1;
    for (let row = 0; row < shown.length; row += some) {
      let a = mix_a, b = mix_b;
      sum_until(shown[row], whole.from, a);
      for (let x = 0; x < columns; ++x) {
        sum_until(shown[row], whole.from + (x + 1) * scale, b);
        for (let s = 0; s < N; ++s) overview.mix[x * N + s] += b[s] - a[s];
        [a, b] = [b, a];
      }
    }
  }
  for (let x = 0; x < columns; ++x) {
    let total = 0, done = 0, y = y0;
    for (let s = 0; s < N; ++s) total += overview.mix[x * N + s];
    for (let s = 0; s < N && total > 0; ++s) {
      done += overview.mix[x * N + s];
      const end = y0 + Math.round(done / total * (y1 - y0));
      for (; y < end; ++y) pixels[y * wide + left + x] = numbers[s];
    }
  }
}

// Which part of the whole time is shown.
function draw_window(room) {
  g.fillStyle = theme.dim;
  g.fillText('all threads', 10, OVERVIEW / 2);
  const span = whole.to - whole.from;
  const x0 = GUTTER + (view.from - whole.from) / span * room, x1 = GUTTER + (view.to - whole.from) / span * room;
  g.fillStyle = theme.halo;
  g.fillRect(GUTTER, 4, Math.max(0, x0 - GUTTER), OVERVIEW - 10);
  g.fillRect(x1, 4, Math.max(0, GUTTER + room - x1), OVERVIEW - 10);
  g.strokeStyle = theme.arrow;
  g.lineWidth = 1.5;
  g.strokeRect(x0, 3, Math.max(2, x1 - x0 - 1), OVERVIEW - 8);
  g.lineWidth = 1;
}

// A moment on the axis, with as many digits as the step between two needs.
function moment(t, step) {
  const [unit, size] = t >= 1e9 || step >= 1e8 ? ['s', 1e9] : t >= 1e6 || step >= 1e5 ? ['ms', 1e6] : ['µs', 1e3];
  const digits = Math.max(0, Math.min(9, Math.ceil(Math.log10(size / step) - 1e-9)));
  return (t / size).toFixed(digits) + ' ' + unit;
}

function axis(width, height, x_of) {
  const span = view.to - view.from, rough = span / Math.max(2, (width - GUTTER) / 130);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((n) => n * power >= rough) * power;
  g.fillStyle = theme.line;
  g.fillRect(0, OVERVIEW + AXIS - 1, width, 1);
  for (let n = Math.ceil(view.from / step); n * step <= view.to; ++n) {
    const x = Math.round(x_of(n * step));
    g.fillStyle = theme.strong;
    g.fillRect(x, OVERVIEW + AXIS - 7, 1, 6);
    const text = moment(n * step, step);
    g.fillStyle = theme.dim;
    if (x + 6 + g.measureText(text).width < width) g.fillText(text, x + 5, OVERVIEW + AXIS / 2 - 1);
  }
}

function names(first, last, head, width) {
  for (let row = first; row < last; ++row) {
    const lane = shown[row], y = head + row * ROW - view.top;
    if (row !== first) {
      g.fillStyle = theme.line;
      g.fillRect(0, Math.round(y), width, 1);
    }
    const id = String(lane.tid), id_width = g.measureText(id).width;
    g.fillStyle = theme.dim;
    g.fillText(id, GUTTER - 12 - id_width, y + ROW / 2);
    g.fillStyle = lane === hover.lane ? theme.accent : theme.text;
    g.fillText(fit(lane.name, GUTTER - 34 - id_width), 10, y + ROW / 2);
  }
}

// What is waited for, where there is room to write it.
function labels(lane, y, i0, i1, x_of, width) {
  for (let i = i0; i <= i1; ++i) {
    if (!waits_for(lane, i) || !matches(lane, i)) continue;
    const x0 = Math.max(GUTTER, x_of(lane.start[i])), x1 = Math.min(width, x_of(lane.start[i + 1]));
    if (x1 - x0 <= 36) continue;
    g.fillStyle = STATES[lane.state[i]] === 'asleep' ? theme.dim : lane.state[i] === KERNEL ? theme.text : theme['on-blocked'];
    g.fillText(fit(objects[model.waits.object[lane.base + i]], x1 - x0 - 10), x0 + 5, y + ROW / 2 + 0.5);
  }
}

function arrow(x0, y0, x1, y1) {
  const angle = Math.atan2(y1 - y0, x1 - x0);
  g.beginPath();
  g.moveTo(x0, y0);
  g.lineTo(x1, y1);
  g.stroke();
  g.beginPath();
  g.moveTo(x1, y1);
  g.lineTo(x1 - 8 * Math.cos(angle - 0.38), y1 - 8 * Math.sin(angle - 0.38));
  g.lineTo(x1 - 8 * Math.cos(angle + 0.38), y1 - 8 * Math.sin(angle + 0.38));
  g.fill();
  g.beginPath();
  g.arc(x0, y0, 2, 0, 7);
  g.fill();
}

// From who let go to who was let go: all of them if they are few, else that of the slice under the
// pointer.
function arrows(head, width, height, x_of, detailed, mixed) {
  g.save();
  g.beginPath();
  g.rect(GUTTER, head, width - GUTTER, height - head);
  g.clip();
  const rows = new Map(shown.map((lane, row) => [lane.index, row]));
  const one = (lane, i) => {
    const k = lane.base + i, from = rows.get(model.waits.waker[k] - 1), to = rows.get(lane.index);
    if (!waits_for(lane, i) || model.waits.waker[k] === 0 || from === undefined || from === to) return;
    arrow(x_of(model.waits.woken[k]), head + (from + 0.5) * ROW - view.top, x_of(went_on(lane, i)), head + (to + 0.5) * ROW - view.top);
  };
  let blocked = mixed ? Infinity : 0;
  for (const [lane, , i0, i1] of detailed) {
    for (let i = i0; i <= i1 && blocked <= FEW_ARROWS; ++i) blocked += waits_for(lane, i) && model.waits.waker[lane.base + i] !== 0;
  }
  g.strokeStyle = g.fillStyle = theme.arrow;
  if (blocked <= FEW_ARROWS) {
    g.globalAlpha = blocked < 60 ? 0.8 : 0.45;
    for (const [lane, , i0, i1] of detailed) for (let i = i0; i <= i1; ++i) if (matches(lane, i)) one(lane, i);
  }
  g.globalAlpha = 1;
  if (hover.lane && hover.slice >= 0) {
    const row = rows.get(hover.lane.index), {lane, slice} = hover;
    if (row !== undefined && x_of(lane.start[slice + 1]) - x_of(lane.start[slice]) > 3) {
      g.lineWidth = 2;
      const x0 = Math.max(GUTTER + 1, x_of(lane.start[slice])), x1 = Math.min(width - 1, x_of(lane.start[slice + 1]));
      g.strokeRect(x0, head + row * ROW - view.top + 3, Math.max(1, x1 - x0), ROW - 6);
    }
    g.lineWidth = 1.8;
    one(lane, slice);
    g.lineWidth = 1;
  }
  g.restore();
}

// The moment under the pointer.
function pointer(head, height, x_of) {
  if (hover.t === null) return;
  const x = Math.round(x_of(hover.t));
  if (x < GUTTER) return;
  g.globalAlpha = 0.45;
  g.fillStyle = theme.arrow;
  g.fillRect(x, head, 1, height);
  g.globalAlpha = 1;
}
