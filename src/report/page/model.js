// The page's data, as src/report/html.cpp packs it.
// Every name comes from the watched program: it is only ever put in as text, or drawn.
const canvas = $('canvas'), tip = $('tip');
const STATES = ['new', 'ready', 'running', 'runnable', 'blocked', 'kernel', 'others', 'asleep'];
const BLOCKED = 4, KERNEL = 5, N = STATES.length;
const CALL = N;  // as KERNEL, with a name
const waits_for = (lane, i) => model.waits.named[lane.base + i] === 1;  // something that has a name
const STEP = 32;  // slices between two sums

function decode(bytes) {
  const size = new DataView(bytes.buffer).getUint32(0, true);
  const model = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  let at = 4 + size;
  const number = () => {
    for (let n = 0, scale = 1; ; scale *= 128) {
      const byte = bytes[at++];
      n += (byte & 127) * scale;
      if (byte < 128) return n;
    }
  };
  const lanes = model.threads.map((thread, index) => {
    const n = number();
    return {...thread, index, n, first: number(), start: new Float64Array(n + 1), state: new Uint8Array(n), sums: null};
  });
  let all = 0;
  for (const lane of lanes) {
    let now = lane.first;
    for (let i = 0; i < lane.n; ++i) {
      lane.start[i] = now * model.quantum;
      now += number();
    }
    lane.start[lane.n] = now * model.quantum;
    lane.base = all;  // the number of its first slice among all
    all += lane.n;
  }
  const waits = {named: new Uint8Array(all), object: new Uint32Array(all), site: new Uint32Array(all), holder: new Uint32Array(all),
    waker: new Uint32Array(all), woken: new Float64Array(all)};
  for (const lane of lanes) {
    // Sums of time by state, every STEP slices: any interval's mix without a walk through it.
    const {n, start, state} = lane, sum = new Float64Array(N);
    lane.sums = new Float64Array((Math.ceil(n / STEP) + 1) * N);
    for (let i = 0; i < n; ++i) {
      if (i % STEP === 0) lane.sums.set(sum, i / STEP * N);
      const given = bytes[at++];
      waits.named[lane.base + i] = given >= BLOCKED && given !== KERNEL;
      state[i] = given === CALL ? KERNEL : given;
      sum[state[i]] += start[i + 1] - start[i];
    }
    lane.sums.set(sum, Math.ceil(n / STEP) * N);
  }
  const each = (take) => {
    for (const lane of lanes) {
      for (let i = 0; i < lane.n; ++i) if (waits.named[lane.base + i]) take(lane.base + i, lane, i);
    }
  };
  for (const column of ['object', 'site', 'holder', 'waker']) each((k) => { waits[column][k] = number(); });
  each((k, lane, i) => { if (waits.waker[k]) waits.woken[k] = lane.start[i + 1] - number() * model.quantum; });
  return {...model, lanes, waits};
}

// The last slice that begins at or before t; -1 if none does.
function slice_at(lane, t) {
  let low = 0, high = lane.n;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (lane.start[middle] <= t) low = middle + 1; else high = middle;
  }
  return low - 1;
}

// How long it was in each state until t.
function sum_until(lane, t, into) {
  if (lane.n === 0 || t <= lane.start[0]) return into.fill(0);
  const end = t >= lane.start[lane.n];
  const i = end ? lane.n : slice_at(lane, t), block = end ? Math.ceil(lane.n / STEP) : Math.floor(i / STEP);
  for (let s = 0; s < N; ++s) into[s] = lane.sums[block * N + s];
  if (end) return into;
  for (let k = block * STEP; k < i; ++k) into[lane.state[k]] += lane.start[k + 1] - lane.start[k];
  into[lane.state[i]] += t - lane.start[i];
  return into;
}

// When the thread of a blocked slice went on after it was let go.
function went_on(lane, i) {
  const next = i + 1 < lane.n && STATES[lane.state[i + 1]] === 'ready' ? i + 2 : i + 1;
  return lane.start[Math.min(next, lane.n)];
}
