// What is shown, and the address that says so: a link opens the same view.
const STATES = [['✔', 'pass'], ['✘', 'fail'], ['!', 'error'], ['?', 'unscored'], ['⊘', 'skipped']];
// Where the gate decides, a case that failed is a miss.
const stateOf = c => c.state === 1 && c.forgiven ? ['–', 'miss'] : STATES[c.state];
const ROWS = 100;

const experiments = JSON.parse($('#data').textContent).x.map((raw, index) => {
  const one = {
    index, name: raw.n, rerun: raw.r, baseline: raw.b, repeats: raw.k,
    evaluators: raw.e.map(e => ({name: e.n, limit: e.l, minimize: e.m, bool: e.b})),
    section: $('#x' + index), table: $('#cases' + index),
  };
  one.cases = raw.c.map((c, place) => {
    const scores = c.v.map(v => v === null || v === '!' ? {missing: v === '!'} :
      Array.isArray(v) ? {value: v[0], bad: !!v[1], before: v[2], gain: v[3]} : {value: v});
    const attempts = (c.a || []).map(a => ({
      output: a.o, hasOutput: 'o' in a, error: a.e, ms: a.d, tries: a.n || 1,
      scores: a.v || [],
    }));
    const worst = attempts.findIndex(a => a.error);
    const misses = a => a.scores.filter(s => s && s.b).length;
    const at = worst >= 0 ? worst :
      attempts.reduce((best, a, i) => misses(a) > misses(attempts[best]) ? i : best, 0);
    const state = c.s || 0;
    return {
      place, id: c.i, row: c.n ?? place, test: c.t || raw.n + '::' + c.i, state, forgiven: !!c.g,
      flaky: !!c.f, reasons: c.w || [], change: c.d || 0, inputs: c.in || {}, expected: c.x,
      hasExpected: 'x' in c, tags: c.tg || [], metadata: c.md || {}, history: c.h,
      before: c.o, hasBefore: 'o' in c, changed: !!c.oc, scores, attempts, at,
      bad: state > 0 && state < 4, again: !!c.p, urgent: !!c.u, lost: c.u === 2,
    };
  });
  return one;
});

const FILTERS = {
  attention: c => c.urgent,
  all: () => true,
  failed: c => c.state === 1 && !c.forgiven,
  misses: c => c.state === 1 && c.forgiven,
  errors: c => c.state === 2 || c.state === 3,
  regressed: c => c.change === 2,
  fixed: c => c.change === 1,
  changed: c => c.changed,
  flaky: c => c.flaky,
};

const view = {};
const experiment = () => experiments[view.x];
const usual = x => experiments[x] && experiments[x].cases.some(FILTERS.attention) ? 'attention' : 'all';

function readAddress() {
  const said = new URLSearchParams(location.hash.slice(1));
  // `#x1` is where the links of a page without a script go.
  const linked = /^#x(\d+)$/.exec(location.hash);
  let x = linked ? Number(linked[1]) : experiments.findIndex(one => one.name === said.get('x'));
  if (!experiments[x]) x = worstExperiment();
  const filter = said.get('f');
  const bin = /^(\d+):([^:]+):([^:]+)(:last)?$/.exec(said.get('e') || '');
  const sort = /^(-?)(\w+)$/.exec(said.get('s') || '');
  Object.assign(view, {
    x,
    filter: Object.hasOwn(FILTERS, filter) ? filter : usual(x),
    query: said.get('q') || '',
    slice: said.get('t') || '',
    bin: bin && experiments[x]?.evaluators[bin[1]] ?
      {e: Number(bin[1]), low: Number(bin[2]), high: Number(bin[3]), last: !!bin[4]} : null,
    sort: sort ? {key: sort[2], down: sort[1] === '-'} : null,
    open: said.get('dp'),
    attempt: said.has('at') ? Number(said.get('at')) - 1 : null,
    rows: ROWS,
    baseline: said.get('b') !== '0',
  });
}

function worstExperiment() {
  const weight = one => one.section.querySelector('.badge.fail') ? 1 : 0;
  const marks = $$('.tabs a').map(a => a.querySelector('.badge.fail') ? 1 : 0);
  return experiments.length === 1 ? 0 : Math.max(0, experiments.findIndex((one, i) => marks[i] || weight(one)));
}

function writeAddress() {
  const says = new URLSearchParams();
  if (!experiment()) return;
  if (experiments.length > 1) says.set('x', experiment().name);
  if (view.filter !== usual(view.x)) says.set('f', view.filter);
  if (view.query) says.set('q', view.query);
  if (view.slice) says.set('t', view.slice);
  if (view.bin) says.set('e', [view.bin.e, view.bin.low, view.bin.high].join(':') + (view.bin.last ? ':last' : ''));
  if (view.sort) says.set('s', (view.sort.down ? '-' : '') + view.sort.key);
  if (!view.baseline) says.set('b', '0');
  if (view.open != null) says.set('dp', view.open);
  if (view.open != null && view.attempt != null) says.set('at', view.attempt + 1);
  const address = '#' + says;
  if (address === (location.hash || '#')) return;
  try { history.replaceState(null, '', address); } catch { location.replace(address); }
}

// The text that a search looks through, made when it is first needed.
function haystack(c) {
  if (c.text === undefined) {
    c.text = [c.id, c.tags, c.reasons, c.inputs, c.expected, c.metadata,
      c.attempts.map(a => [a.output, a.error, a.scores.map(s => s && [s.l, s.x, s.e])])]
      .map(plain).join('\n').toLowerCase();
  }
  return c.text;
}

const slicesOf = c => [...c.tags.map(tag => plain(tag)), ...Object.entries(c.metadata)
  .filter(([, value]) => value !== null && typeof value !== 'object')
  .map(([key, value]) => key + ':' + value)];

function inBin(c, bin) {
  const value = c.scores[bin.e].value;
  if (value === undefined) return false;
  if (bin.low === bin.high) return value === bin.low;
  return value >= bin.low && (value < bin.high || (bin.last && value <= bin.high));
}

function selected() {
  const words = view.query.toLowerCase().split(/\s+/).filter(Boolean);
  const list = experiment().cases.filter(c =>
    FILTERS[view.filter](c) && (!view.bin || inBin(c, view.bin)) &&
    (!view.slice || slicesOf(c).includes(view.slice)) &&
    words.every(word => haystack(c).includes(word)));
  return list.sort(order());
}

// Worst first: what fails before what a gate forgives; what did not miss in the other run, then what it
// did not have, then what missed there, too; a yes that
// is a no now, whatever else got worse, errors, the worst scores.
const urgency = c => (c.bad ? 0 : c.urgent ? 64 : 128) + (c.forgiven ? 32 : 0) +
  (c.again ? 16 : c.bad && c.change === 3 ? 8 : 0) +
  (c.lost ? 0 : 4) + (c.change === 2 ? 0 : 2) + (c.state === 1 ? 1 : 0);
const badness = c => {
  let least = Infinity;
  c.scores.forEach((score, i) => {
    if (score.value === undefined) return;
    const e = experiment().evaluators[i];
    if (e.limit != null) least = Math.min(least, e.minimize ? e.limit - score.value : score.value - e.limit);
  });
  return least;
};

function order() {
  const byRow = (a, b) => a.row - b.row || a.place - b.place;
  if (!view.sort) {
    return (a, b) => urgency(a) - urgency(b) ||
      (a.urgent ? compare(badness(a), badness(b)) : 0) || byRow(a, b);
  }
  const {key, down} = view.sort;
  const of = sortKey(key);
  return (a, b) => {
    const x = of(a), y = of(b);
    // What has no value is last, whichever way.
    if (x === undefined || y === undefined) return (x === undefined) - (y === undefined) || byRow(a, b);
    return (down ? -1 : 1) * compare(x, y) || byRow(a, b);
  };
}

const compare = (x, y) => x === y ? 0 : x < y ? -1 : 1;

function sortKey(key) {
  const score = /^e(\d+)$/.exec(key);
  if (score) return c => c.scores[score[1]]?.value;
  switch (key) {
    case 'state': return c => [3, 1, 0, 2, 4][c.state];
    case 'change': return c => [2, 3, 1, 4][c.change];
    case 'id': return c => c.row;
    case 'in': return c => briefInputs(c).toLowerCase();
    case 'ex': return c => c.hasExpected ? plain(c.expected).toLowerCase() : undefined;
    case 'out': return c => { const a = c.attempts[c.at]; return a && a.hasOutput ? plain(a.output).toLowerCase() : undefined; };
    default: return c => c.attempts[c.at]?.ms;
  }
}

const briefInputs = c => {
  const all = Object.entries(c.inputs);
  return all.length === 1 ? brief(all[0][1]) :
    all.slice(0, 8).map(([name, value]) => visible(name) + ': ' + brief(value)).join('\n');
};
