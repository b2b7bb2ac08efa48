// The drawer of a case.
const drawer = $('#case');
let shown = null, compared = 'none';

const isOpen = () => drawer.open;

function openCase(at, attempt = null) {
  if (!list[at]) return;
  goTo(at, false);
  Object.assign(view, {open: list[at].id, attempt});
  fill(at);
  if (!drawer.open) drawer.showModal();
  $('#case-body').scrollTop = 0;
  $('#case-body').focus();
  writeAddress();
}

// Opens the case that an address names, also where no filter shows it.
function openNamed() {
  const one = experiment();
  if (view.open == null || !one) { closeCase(); return; }
  let at = list.findIndex(c => c.id === view.open);
  if (at < 0) {
    const wanted = one.cases.find(c => c.id === view.open);
    if (!wanted) { view.open = null; writeAddress(); return; }
    Object.assign(view, {filter: 'all', query: '', bin: null, slice: ''});
    show();
    at = list.indexOf(wanted);
  }
  openCase(at, view.attempt);
}

function fill(at) {
  const c = list[at], [sign, name] = stateOf(c);
  shown = {c, at, trace: traceOf(c)};
  const attempt = c.attempts[view.attempt ?? c.at] ? view.attempt ?? c.at : c.at;
  shown.attempt = attempt;
  compared = startingDiff(c, c.attempts[attempt]);
  $('#position').textContent = `${grouped(at + 1)} of ${grouped(list.length)}`;
  $('#previous').disabled = at === 0;
  $('#next').disabled = at + 1 === list.length;
  $('#copy-trace').hidden = !shown.trace;
  const facts = [...c.tags.map(t => '#' + plain(t)), ...Object.entries(c.metadata).map(([k, v]) => k + ': ' + brief(v, 80))];
  $('#case-body').replaceChildren(
    h('h2', {id: 'case-id'}, h('span.badge.' + name, null, h('span', {'aria-hidden': 'true'}, sign), ' ' + name),
      ' ', visible(c.id)),
    ...c.reasons.map(reason => h('p.cause', {dir: 'auto'}, visible(reason))),
    c.forgiven ? h('p.note', null, 'The gate decides about this; the case’s own test passed.') : '',
    c.change === 1 || c.change === 2 ? h('p.note', null, c.change === 1 ? '▲ Better' : '▼ Worse', ' than in ' + visible(experiment().baseline)) : '',
    facts.length ? h('p.about', null, visible(facts.join(' · '))) : '',
    h('p.rerun', null, h('code', null, visible(rerun(c)))),
    c.attempts.length > 1 ? tabs(c) : '',
    h('div', {id: 'attempt', role: c.attempts.length > 1 ? 'tabpanel' : null,
      'aria-labelledby': c.attempts.length > 1 ? 'tab' + attempt : null}));
  fillAttempt();
}

const rerun = c => experiment().rerun + c.test;

function tabs(c) {
  const choose = i => { view.attempt = i; shown.attempt = i; selectTab(); fillAttempt(); writeAddress(); };
  const verdict = (a, i) => a.error ? '!' : a.scores.some(s => s && s.b) ? '✘' : '✔';
  return h('div.attempts', {role: 'tablist', 'aria-label': 'Attempts', onkeydown(event) {
    const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
    if (!step) return;
    event.stopPropagation();
    choose((shown.attempt + step + c.attempts.length) % c.attempts.length);
    $('#tab' + shown.attempt).focus();
  }}, c.attempts.map((a, i) => h('button', {
    type: 'button', role: 'tab', id: 'tab' + i, 'aria-controls': 'attempt',
    'aria-selected': i === shown.attempt ? 'true' : 'false', tabindex: i === shown.attempt ? 0 : -1,
    onclick: () => choose(i),
  }, h('span', {'aria-hidden': 'true'}, verdict(a, i) + ' '), 'Attempt ' + (i + 1))));
}

function selectTab() {
  $$('.attempts button').forEach((tab, i) => {
    tab.setAttribute('aria-selected', i === shown.attempt);
    tab.tabIndex = i === shown.attempt ? 0 : -1;
  });
  $('#attempt').setAttribute('aria-labelledby', 'tab' + shown.attempt);
}

function fillAttempt() {
  const {c, trace} = shown, a = c.attempts[shown.attempt];
  const of = trace && trace[shown.attempt];
  if (!a) { $('#attempt').replaceChildren(h('p.note', null, 'It was not run.')); return; }
  const said = [duration(a.ms) + ' in the function', a.tries > 1 && `${a.tries} tries`, of && totalTokens(of.s), of && of.q && ['session ', h('code', null, visible(of.q))]];
  $('#attempt').replaceChildren(
    h('p.about', null, said.filter(Boolean).map((one, i) => [i ? ' · ' : '', one])),
    results(c, a),
    h('h3', null, 'Scores'), scoreTable(c, a),
    h('h3', {id: 'trace'}, 'Trace'),
    ...(of && of.s.length ? waterfall(of) : [h('p.note', null, 'No spans are kept in this page.')]),
    c.history ? h('details', null, h('summary', null, 'History'), pane('History', h('pre', {dir: 'auto'}, visible(pretty(c.history))))) : '',
    raw(c, a));
}

function raw(c, a) {
  const details = h('details', {ontoggle() {
    if (details.open && !$('pre', details)) {
      const all = {id: c.id, inputs: c.inputs, expected: c.expected, output: a.output, error: a.error,
        metadata: c.metadata, tags: c.tags, scores: c.scores, attempt: a.scores};
      details.append(pane('JSON', h('pre', null, visible(JSON.stringify(all, null, 2)))));
    }
  }}, h('summary', null, 'JSON'));
  return details;
}

// Panes scroll by themselves, so keys must reach them.
const pane = (name, ...children) => h('div.pane', {tabindex: 0, role: 'region', 'aria-label': name}, ...children);

const outputOf = a => a.hasOutput ? pretty(a.output) : '';

const MODES = [['none', 'Output'], ['expected', 'Against expected'], ['baseline', 'Against before']];
const modes = (c, a) => MODES.filter(([key]) => a.hasOutput &&
  (key === 'none' || (key === 'expected' ? c.hasExpected : c.hasBefore)));

// Texts that share nothing are easier to read apart.
function startingDiff(c, a) {
  if (!a || !a.hasOutput) return 'none';
  const near = other => likeness(pretty(other), outputOf(a)) > .5;
  if (c.hasBefore && c.changed && c.change === 2 && near(c.before)) return 'baseline';
  return c.hasExpected && c.bad && near(c.expected) ? 'expected' : 'none';
}

function results(c, a) {
  const choices = modes(c, a);
  const inputs = Object.entries(c.inputs);
  const text = value => h('pre', {dir: 'auto'}, visible(value));
  const input = h('div', null, h('h3', null, 'Input'), pane('Input',
    inputs.length === 1 ? text(pretty(inputs[0][1])) :
      inputs.map(([name, value]) => [h('h4', null, visible(name)), text(pretty(value))])));
  const expected = h('div', null, h('h3', null, 'Expected'), pane('Expected',
    c.hasExpected ? text(pretty(c.expected)) : h('p.note', null, 'Nothing is said about it.')));
  const switcher = choices.length > 1 && h('div.modes', {role: 'group', 'aria-label': 'Show the output'},
    choices.map(([key, name]) => h('button', {type: 'button', 'aria-pressed': key === compared ? 'true' : 'false', 'data-mode': key,
      onclick() { setMode(key); }}, name)));
  const shownOutput = a.hasOutput ? outputPane(c, a) :
    a.error ? pane('Error', h('p.s-error', null, visible(ERRORS[a.error[0]] || a.error[0])), text(a.error[1])) :
    pane('Output', h('p.note', null, 'There is none.'));
  return h('div.panes', null, input, expected,
    h('div', null, h('h3', null, 'Output', switcher), shownOutput));
}

function setMode(key) {
  compared = key;
  const c = shown.c, a = c.attempts[shown.attempt], old = $('.panes'), had = document.activeElement;
  const mode = had && had.dataset && had.dataset.mode;
  old.replaceWith(results(c, a));
  if (mode) $(`[data-mode="${mode}"]`).focus();
}

function nextMode() {
  const c = shown.c, all = modes(c, c.attempts[shown.attempt]).map(([key]) => key);
  if (all.length) setMode(all[(all.indexOf(compared) + 1) % all.length]);
}

function outputPane(c, a) {
  const output = visible(outputOf(a));
  if (compared === 'none') return pane('Output', h('pre', {dir: 'auto'}, output));
  const other = visible(pretty(compared === 'expected' ? c.expected : c.before));
  const parts = diff(other, output);
  const name = compared === 'expected' ? 'Output against expected' : 'Output against before';
  if (!parts) return pane(name, h('p.note', null, 'The two are too different to compare.'), h('pre', {dir: 'auto'}, output));
  if (parts.every(([kind]) => kind === 0)) return pane(name, h('p.note', null, '= The same.'), h('pre', {dir: 'auto'}, output));
  return pane(name, h('pre.diff', {dir: 'auto'},
    parts.map(([kind, words]) => kind === 0 ? words : h(kind < 0 ? 'del' : 'ins', null, words))));
}

const ERRORS = {returned: '! returned an error', panic: '! panicked', timeout: '! timed out', argument: '! an argument could not be read',
  output: '! the output could not be written', datapoint: '! the row could not be read', not_run: '! was not run'};

function scoreTable(c, a) {
  const one = experiment(), several = c.attempts.length > 1, based = one.baseline != null;
  if (!one.evaluators.length) return h('p.note', null, 'Nothing scores this.');
  const show = (e, value) => value === undefined ? '–' : e.bool && (value === 0 || value === 1) ? value ? '✔ yes' : '✘ no' : number(value);
  const rows = one.evaluators.map((e, i) => {
    const score = c.scores[i], own = (several ? a.scores[i] : null) || {}, said = a.scores[i] || {};
    const bad = several ? own.b : score.bad, value = several ? own.v : score.value;
    const why = [said.l && h('b', null, visible(said.l) + ' '), said.x && visible(said.x),
      said.e && h('span.s-error', null, '! ' + visible(said.e)),
      said.m && h('small', null, visible(plain(said.m)))];
    return h('tr', null, h('th', {scope: 'row'}, visible(e.name)),
      h('td.mean' + (bad ? '.s-fail' : ''), null, said.e ? '!' : show(e, value)),
      several && h('td', null, show(e, score.value)),
      based && h('td', null, score.before === undefined ? '–' : [show(e, score.before),
        score.gain ? h('span.' + (score.gain > 0 ? 's-pass' : 's-fail'), null, score.gain > 0 ? ' ▲' : ' ▼') : '']),
      h('td', null, e.limit == null ? 'nothing' : e.bool && e.limit === 1 ? 'yes' : e.bool && e.limit === 0 && e.minimize ? 'no' : (e.minimize ? '≤ ' : '≥ ') + number(e.limit)),
      h('td.why', {dir: 'auto'}, why));
  });
  return h('div.wide', {tabindex: 0, role: 'region', 'aria-label': 'Scores'}, h('table.scores', null, h('thead', null, h('tr', null,
    ['Evaluator', several ? 'This attempt' : 'Score', several && 'Case', based && 'Before', 'Needs', 'Why'].filter(Boolean)
      .map(name => h('th', {scope: 'col'}, name)))), h('tbody', null, rows)));
}

async function copy(text, what) {
  let done = false;
  try { await navigator.clipboard.writeText(text); done = true; } catch { done = copyOld(text); }
  say(done ? what + ' copied' : 'The browser does not let this page copy');
}

// Pages from a disk have no clipboard in some browsers.
function copyOld(text) {
  const area = h('textarea.away', {'aria-hidden': 'true'});
  area.value = text;
  (drawer.open ? drawer : document.body).append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  return done;
}

function say(text) {
  const said = $('#said');
  (drawer.open ? drawer : document.body).append(said);
  said.textContent = text;
  said.classList.add('seen');
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { said.classList.remove('seen'); said.textContent = ''; }, 2500);
}

function step(by) {
  if (shown && list[shown.at + by]) openCase(shown.at + by);
}

// The browser sends `close` in a task of its own, when the next case may be open already: so view and
// address change here, where the drawer closes.
function closeCase() {
  if (drawer.open) drawer.close();
  if (!shown) return;
  const at = shown.at;
  document.body.append($('#said'));
  Object.assign(view, {open: null, attempt: null});
  shown = null;
  writeAddress();
  goTo(at);
}

// Closed by the browser itself, such as by the back gesture of a phone.
drawer.addEventListener('close', () => { if (!drawer.open) closeCase(); });
drawer.addEventListener('click', event => { if (event.target === drawer) closeCase(); });
$('#previous').addEventListener('click', () => step(-1));
$('#next').addEventListener('click', () => step(1));
$('#close').addEventListener('click', closeCase);
$('#copy-rerun').addEventListener('click', () => copy(rerun(shown.c), 'Rerun command'));
$('#copy-trace').addEventListener('click', () => copy(shown.trace[shown.attempt].t, 'Trace id'));
