// The table of cases, its filters and its order.
let list = [];

const toolbar = () => $('.toolbar', experiment().section);

function scoreCell(c, e, i) {
  const score = c.scores[i];
  if (score.value === undefined) {
    return h('td.c-score', {'data-l': e.name}, score.missing ? '!' : '–');
  }
  const cell = h('td.c-score' + (score.bad ? '.s-fail' : ''), {'data-l': e.name});
  if (c.attempts.length > 1) {
    const dots = c.attempts.map(a => a.scores[i]).map(s => !s || s.v === undefined ? '·' : s.b ? '○' : '●');
    if (e.limit != null) cell.append(h('span.dots', {'aria-hidden': 'true'}, dots.join('')), ' ');
  }
  const yes = e.bool && (score.value === 0 || score.value === 1);
  cell.append(yes ? score.value ? '✔' : '✘' : number(score.value));
  if (view.baseline && score.gain) {
    cell.append(h('small', null, (score.gain > 0 ? '▲ ' : '▼ ') + 'was ' +
      (yes && (score.before === 0 || score.before === 1) ? score.before ? '✔' : '✘' : number(score.before))));
  }
  return cell;
}

function tableRow(c, at) {
  const one = experiment(), attempt = c.attempts[c.at], [sign, name] = stateOf(c);
  const clamp = (what, text) => h('td.c-' + what, null, h('div.clamp', {dir: 'auto'}, text));
  const output = !attempt ? '' : attempt.hasOutput ? brief(attempt.output) :
    attempt.error ? brief(attempt.error[1]) : '';
  const columns = $$('thead th.c-score', one.table).map(th => Number(th.dataset.s.slice(1)));
  return h('tr', {'data-at': at},
    h('td.c-state.s-' + name, null, h('i', {'aria-hidden': 'true'}, sign), ' ' + name,
      c.again && h('small', null, 'missed before'), c.flaky && h('small', null, '≈ flaky')),
    one.baseline != null && h('td.c-change' + ['', '.s-pass', '.s-fail', ''][c.change], null,
      c.change === 1 ? ['▲', h('span', null, ' better')] : c.change === 2 ? ['▼', h('span', null, ' worse')] :
      c.change === 3 ? h('small', null, 'added') : ''),
    h('td.c-id', null,
      h('button.open', {type: 'button', tabindex: at ? -1 : 0, 'aria-haspopup': 'dialog'}, visible(c.id)),
      c.reasons.length > 0 && h('small.clamp', {dir: 'auto'}, brief(c.reasons[0], 160))),
    clamp('in', briefInputs(c)), clamp('ex', c.hasExpected ? brief(c.expected) : ''), clamp('out', output),
    columns.map(i => scoreCell(c, one.evaluators[i], i)),
    h('td.c-time', null, attempt ? duration(attempt.ms) : ''));
}

function showRows(from) {
  const body = $('tbody', experiment().table), rows = document.createDocumentFragment();
  list.slice(from, view.rows).forEach((c, i) => rows.append(tableRow(c, from + i)));
  if (from) body.append(rows); else body.replaceChildren(rows);
  const left = list.length - view.rows, more = $('.more', experiment().section);
  more.hidden = left <= 0;
  $('button', more).textContent = `Show ${Math.min(left, ROWS * 2)} more of ${grouped(left)}`;
}

// Everything that follows from `view`, but the drawer.
function show() {
  const one = experiment();
  if (!one) return;
  experiments.forEach(other => { other.section.hidden = other !== one; });
  $$('.tabs a').forEach((a, i) => {
    if (i === view.x) a.setAttribute('aria-current', 'page'); else a.removeAttribute('aria-current');
  });
  $('.skip').setAttribute('href', '#cases' + view.x);
  document.documentElement.classList.toggle('no-baseline', !view.baseline);
  if (!one.table) { writeAddress(); return; }
  list = selected();
  view.rows = Math.max(ROWS, view.rows);
  showRows(0);
  const bar = toolbar();
  bar.hidden = false;
  const search = $('input', bar);
  if (search.value !== view.query) search.value = view.query;
  $$('[data-f]', bar).forEach(b => b.setAttribute('aria-pressed', b.dataset.f === view.filter));
  $$('.hist button', one.section).forEach(b => b.setAttribute('aria-pressed', !!view.bin && sameBin(b, view.bin)));
  const chip = $('.chip', bar);
  chip.hidden = !view.bin;
  if (view.bin) {
    const e = one.evaluators[view.bin.e], {low, high} = view.bin;
    chip.textContent = e.name + ' ' + (low === high ? low ? 'yes' : 'no' : number(low) + ' to ' + number(high)) + ' ✕';
    chip.setAttribute('aria-label', 'Remove the filter ' + chip.textContent.slice(0, -2));
  }
  $('.shown', bar).textContent = `${grouped(list.length)} of ${grouped(one.cases.length)} shown`;
  $('.clear', bar).hidden = !(view.query || view.bin || view.slice || view.sort || view.filter !== usual(view.x));
  const slices = $('.slices', bar);
  if (slices.value !== view.slice) slices.value = view.slice;
  $$('thead th', one.table).forEach(th => {
    const button = $('button', th), mine = view.sort && view.sort.key === th.dataset.s;
    button.disabled = false;
    if (mine) th.setAttribute('aria-sort', view.sort.down ? 'descending' : 'ascending');
    else th.removeAttribute('aria-sort');
  });
  if (!list.length) {
    const columns = $$('thead th', one.table).length;
    $('tbody', one.table).append(h('tr', null, h('td.none', {colspan: columns}, 'No matching cases.')));
  }
  writeAddress();
}

function sameBin(button, bin) {
  const [low, high] = button.dataset.bin.split(':').map(Number);
  return Number(button.dataset.e) === bin.e && low === bin.low && high === bin.high;
}

function change(what) {
  Object.assign(view, what, {rows: ROWS});
  show();
}

// The slices that a gate could name, where there are few enough to choose from.
function fillSlices(one) {
  const select = one.section.querySelector('.slices');
  if (!select) return;
  const counts = new Map(), kinds = new Map();
  for (const c of one.cases) for (const slice of new Set(slicesOf(c))) {
    counts.set(slice, (counts.get(slice) || 0) + 1);
    const kind = slice.split(':')[0];
    if (!kinds.has(kind)) kinds.set(kind, new Set());
    kinds.get(kind).add(slice);
  }
  const all = [...counts].filter(([slice, n]) => slice.length < 60 && kinds.get(slice.split(':')[0]).size <= 40 &&
    (n > 1 || counts.size <= 40)).sort(([a], [b]) => compare(a, b));
  if (!all.length) return;
  select.append(h('option', {value: ''}, 'All slices'),
    ...all.map(([slice, n]) => h('option', {value: slice}, `${visible(slice)} (${grouped(n)})`)));
  select.hidden = false;
}

function sortBy(key) {
  const down = key === 'time' || (/^e\d/.test(key) && !!experiment().evaluators[key.slice(1)]?.minimize);
  if (!view.sort || view.sort.key !== key) change({sort: {key, down}});
  else if (view.sort.down === down) change({sort: {key, down: !down}});
  else change({sort: null});
}

// The row that keys move: the one whose button can be reached by Tab.
const buttons = () => $$('.open', experiment().table);
const current = () => Math.max(0, buttons().findIndex(b => b.tabIndex === 0));

function goTo(at, focus = true) {
  // A case far down, such as an address may name, is not worth thousands of rows.
  if (at >= view.rows && at < Math.min(list.length, view.rows + ROWS)) { const from = view.rows; view.rows = at + ROWS; showRows(from); }
  const all = buttons();
  if (!all.length) return;
  at = Math.max(0, Math.min(at, all.length - 1));
  all.forEach((b, i) => { b.tabIndex = i === at ? 0 : -1; });
  if (focus) all[at].focus();
  all[at].closest('tr').scrollIntoView({block: 'nearest'});
}

function watch(one) {
  if (!one.table) return;
  const bar = $('.toolbar', one.section);
  let typed = 0;
  $('input', bar).addEventListener('input', event => {
    clearTimeout(typed);
    typed = setTimeout(() => change({query: event.target.value}), 60);
  });
  bar.addEventListener('click', event => {
    const button = event.target.closest('button');
    if (!button) return;
    if (button.dataset.f) change({filter: button.dataset.f});
    else if (button.classList.contains('chip')) change({bin: null});
    else if (button.classList.contains('clear')) change({filter: usual(view.x), query: '', bin: null, slice: '', sort: null});
  });
  $('.slices', bar).addEventListener('change', event => change({slice: event.target.value}));
  $('.more button', one.section).addEventListener('click', () => {
    const from = view.rows;
    view.rows += ROWS * 2;
    showRows(from);
    goTo(from);
  });
  $('thead', one.table).addEventListener('click', event => {
    const th = event.target.closest('button') && event.target.closest('th');
    if (th) sortBy(th.dataset.s);
  });
  $('tbody', one.table).addEventListener('click', event => {
    const row = event.target.closest('tr[data-at]');
    // Somebody who selects text does not want to leave it.
    if (row && (event.target.closest('button') || String(getSelection()) === '')) openCase(Number(row.dataset.at));
  });
  for (const button of $$('.hist button', one.section)) {
    button.addEventListener('click', () => {
      const [low, high, last] = button.dataset.bin.split(':');
      const bin = {e: Number(button.dataset.e), low: Number(low), high: Number(high), last: !!last};
      // All cases of the bar, not those of them that need attention.
      change(view.bin && sameBin(button, view.bin) ? {bin: null} : {bin, filter: 'all'});
    });
  }
  fillSlices(one);
}
