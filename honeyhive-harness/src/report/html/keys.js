// Keys, the theme, and the beginning.
const help = $('#help');

function failure(by) {
  const from = isOpen() ? shown.at : current() - (document.activeElement?.closest('.cases tbody') ? 0 : by);
  for (let at = from + by; at >= 0 && at < list.length; at += by) {
    if (list[at].bad) { if (isOpen()) openCase(at); else goTo(at); return; }
  }
  say('No further failure');
}

const KEYS = {
  '/': () => { if (!isOpen()) { const input = $('input', toolbar()); input.focus(); input.select(); } },
  j: () => isOpen() ? step(1) : move(1),
  k: () => isOpen() ? step(-1) : move(-1),
  n: () => failure(1),
  p: () => failure(-1),
  o: () => { if (!isOpen()) openCase(current()); },
  a: () => filterBy('all'),
  f: () => filterBy('failed'),
  r: () => filterBy('regressed'),
  b: () => { if (experiment().baseline != null && !isOpen()) change({baseline: !view.baseline}); },
  d: () => { if (isOpen()) nextMode(); },
  t: () => { if (isOpen()) { $('#trace').scrollIntoView(); $('.waterfall button')?.focus(); } },
  y: () => copy(rerun(isOpen() ? shown.c : list[current()]), 'Rerun command'),
  G: () => { if (!isOpen()) goTo(buttons().length - 1); },
  '?': () => { if (!isOpen()) help.showModal(); },
};

function filterBy(key) {
  if (!isOpen() && $(`[data-f="${key}"]`, toolbar())) change({filter: key});
}

// The first press goes to the row that is the current one, the next ones on from there.
function move(by) {
  const inside = document.activeElement?.closest('.cases tbody');
  goTo(inside ? current() + by : current());
}

let last = '';
document.addEventListener('keydown', event => {
  const {key, target} = event, before = last;
  last = key;
  if (event.ctrlKey || event.metaKey || event.altKey || help.open || !experiment()?.table) return;
  if (target.closest('input, select, textarea')) {
    if (key === 'Escape' && target.type === 'search') { event.preventDefault(); change({query: ''}); target.blur(); }
    return;
  }
  if (key === 'Escape' && isOpen()) { event.preventDefault(); closeCase(); return; }
  const inRow = !isOpen() && target.closest('.cases tbody');
  if (inRow && key === 'ArrowDown') { event.preventDefault(); move(1); return; }
  if (inRow && key === 'ArrowUp') { event.preventDefault(); move(-1); return; }
  if (key === 'g') { if (before === 'g' && !isOpen()) { last = ''; goTo(0); } return; }
  if (/^[1-9]$/.test(key) && !isOpen()) {
    if ($(`th[data-s="e${key - 1}"]`, experiment().table)) sortBy('e' + (key - 1));
    return;
  }
  if (!Object.hasOwn(KEYS, key) || (!list.length && key === 'y')) return;
  event.preventDefault();
  KEYS[key]();
});

// Auto, then the two themes; kept where the browser lets a page from a disk keep something.
const THEMES = ['auto', 'dark', 'light'];
const store = {
  get() { try { return localStorage.getItem('honeyhive-theme'); } catch { return null; } },
  set(theme) { try { localStorage.setItem('honeyhive-theme', theme); } catch { /* it lasts as long as the page */ } },
};

function setTheme(theme) {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  $('#theme').textContent = 'Theme: ' + theme;
}

$('#theme').addEventListener('click', () => {
  const now = document.documentElement.dataset.theme || 'auto';
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length];
  setTheme(next);
  store.set(next);
});
$('#keys').addEventListener('click', () => help.showModal());
$('.skip').addEventListener('click', event => {
  event.preventDefault();
  experiment()?.table?.focus();
});

function read() {
  readAddress();
  show();
  openNamed();
}

document.documentElement.classList.add('js');
setTheme(THEMES.includes(store.get()) ? store.get() : 'auto');
$('.tools').hidden = false;
experiments.forEach(watch);
addEventListener('hashchange', read);
read();
