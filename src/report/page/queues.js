// The depth of queues: a chart for each, below the lanes, over the same time.
const CHART = 54, MOST_CHARTS = 8;
const depths = $('depths'), d = depths.getContext('2d');
const charted = () => model.queues.filter((queue) => queue.points.length !== 0).slice(0, MOST_CHARTS);

function size_queues() {
  const n = charted().length;
  $('queues').hidden = n === 0;
  depths.style.height = n * CHART + 'px';
}

// How many items there were at a moment; null before it is known.
function items_at(queue, t) {
  let low = 0, high = queue.points.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (queue.points[middle][0] <= t) low = middle + 1; else high = middle;
  }
  return low === 0 || t > queue.end ? null : queue.points[low - 1][1];
}

function draw_queues() {
  const queues = charted(), width = depths.clientWidth, ratio = devicePixelRatio || 1;
  if (queues.length === 0 || width <= GUTTER) return;
  depths.width = Math.round(width * ratio);
  depths.height = Math.round(queues.length * CHART * ratio);
  d.setTransform(ratio, 0, 0, ratio, 0, 0);
  d.font = '12px system-ui, "DejaVu Sans", sans-serif';
  d.textBaseline = 'middle';
  const scale = (width - GUTTER) / (view.to - view.from);
  const x_of = (t) => GUTTER + (Math.min(Math.max(t, view.from), view.to) - view.from) * scale;
  queues.forEach((queue, row) => {
    const y = row * CHART, floor = y + CHART - 6, height = CHART - 16;
    const top = Math.max(1, queue.most, queue.limit <= 4 * queue.most ? queue.limit : 0);
    const y_of = (items) => floor - items / top * height;
    d.fillStyle = theme.line;
    if (row !== 0) d.fillRect(0, y, width, 1);
    d.fillRect(GUTTER, floor, width - GUTTER, 1);
    // Steps, filled: each point holds until the next.
    d.beginPath();
    d.moveTo(x_of(queue.points[0][0]), floor);
    queue.points.forEach(([t, items], i) => {
      const until = i + 1 < queue.points.length ? queue.points[i + 1][0] : queue.end;
      if (until < view.from || t > view.to) return;
      d.lineTo(x_of(t), y_of(items));
      d.lineTo(x_of(until), y_of(items));
    });
    d.lineTo(x_of(queue.end), floor);
    d.globalAlpha = 0.35;
    d.fillStyle = theme.accent;
    d.fill();
    d.globalAlpha = 1;
    d.strokeStyle = theme.accent;
    d.stroke();
    if (queue.limit !== 0 && queue.limit <= top) {
      d.strokeStyle = theme.strong;
      d.setLineDash([4, 4]);
      d.beginPath();
      d.moveTo(GUTTER, y_of(queue.limit));
      d.lineTo(width, y_of(queue.limit));
      d.stroke();
      d.setLineDash([]);
    }
    d.fillStyle = theme.text;
    d.fillText(fit('queue ' + queue.name, GUTTER - 20), 10, y + 18);
    const now = hover.t === null ? null : items_at(queue, hover.t);
    d.fillStyle = theme.dim;
    d.fillText(now === null ? `${count(queue.least)} to ${count(queue.most)} items` : `${count(now)} items here`, 10, y + 36);
    if (hover.t !== null && hover.t >= view.from && hover.t <= view.to) {
      d.globalAlpha = 0.45;
      d.fillStyle = theme.arrow;
      d.fillRect(Math.round(x_of(hover.t)), y, 1, CHART);
      d.globalAlpha = 1;
    }
  });
}

function show_queues() {
  $('queue_part').hidden = model.queues.length === 0;
  if (model.queues.length === 0) return;
  const unknown = (show) => (n) => n < 0 ? '' : show(n);
  table('queue_table', [{name: 'queue', css: 'l name'}, {name: 'waited for items', show: time}, {name: 'times', show: count},
    {name: 'waited for room', show: time}, {name: 'times', show: count}, {name: 'least', show: unknown(count)},
    {name: 'mean', show: unknown((n) => n.toFixed(1))}, {name: 'most', show: unknown(count)}, {name: 'limit', show: (n) => n === 0 ? '' : count(n)}],
  model.queues.map((q) => {
    const of_depth = (n) => q.points.length === 0 ? -1 : n;
    return [q.name, ...q.get, ...q.put, of_depth(q.least), of_depth(q.mean), of_depth(q.most), q.limit];
  }), (i) => {
    $('search').value = model.queues[i].name;
    search(model.queues[i].name);
    canvas.scrollIntoView({block: 'nearest'});
  });
}

depths.addEventListener('pointermove', (event) => {
  const box = depths.getBoundingClientRect(), x = event.clientX - box.left;
  hover = {lane: null, slice: -1, t: x < GUTTER ? null : view.from + (x - GUTTER) * (view.to - view.from) / (box.width - GUTTER)};
  redraw();
});
depths.addEventListener('pointerleave', () => {
  hover = {lane: null, slice: -1, t: null};
  redraw();
});
