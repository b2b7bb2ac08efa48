// Uses reports as people do: by clicks and keys, in a headless Chromium.
const assert = require('node:assert/strict');
const fs = require('node:fs');
const puppeteer = require('puppeteer-core');
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

const [scenario, figures, ...pages] = process.argv.slice(2);
const said = [];
const wrong = [];

// Milliseconds; a slow machine needs less.
const PATIENCE = 120_000;

// What is visible, as text: `texts('.cases tbody .open')`.
const helpers = page => ({
  text: selector => page.$eval(selector, e => e.textContent.trim()),
  texts: selector => page.$$eval(selector, all => all.map(e => e.textContent.trim())),
  ids: () => page.$$eval('.experiment:not([hidden]) .cases .open', all => all.map(e => e.textContent)),
  count: async () => (await page.$eval('.experiment:not([hidden]) .shown', e => e.textContent)),
  hash: () => page.evaluate(() => decodeURIComponent(location.hash)),
  click: selector => page.click('.experiment:not([hidden]) ' + selector),
  isOpen: () => page.$eval('#case', e => e.open),
  until: (what, ...given) => page.waitForFunction(what, {timeout: PATIENCE}, ...given),
  press: async (...keys) => { for (const key of keys) await page.keyboard.press(key); },
});

async function open(browser, path, {dark = false, hash = '', width = 1280, script = true} = {}) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.on('console', m => wrong.push(`console ${m.type()}: ${m.text()}`));
  page.on('pageerror', e => wrong.push(`error: ${e.stack}`));
  page.on('dialog', d => { wrong.push(`dialog: ${d.message()}`); d.dismiss(); });
  page.on('request', r => { if (r.url().split('#')[0] !== 'file://' + path) wrong.push(`request: ${r.url()}`); });
  await page.setViewport({width, height: 900});
  await page.setJavaScriptEnabled(script);
  await page.emulateMediaFeatures([{name: 'prefers-color-scheme', value: dark ? 'dark' : 'light'},
    {name: 'prefers-reduced-motion', value: 'reduce'}]);
  await page.goto('file://' + path + hash);
  return page;
}

const SCENARIOS = {
  async controls(browser, [path]) {
    const page = await open(browser, path);
    const {text, texts, ids, count, hash, click, isOpen, until, press} = helpers(page);

    // The first screen: verdict, cause, counts, change, evaluators, and the worst cases first.
    assert.equal(await text('h1'), '✘ FAIL detect');
    assert.match(await text('.cause'), /^mean\(correct\) >= 0.9: 0.667/);
    assert.match(await text('.strip'), /12 cases ✔ 7 pass ✘ 4 fail ! 1 error/);
    assert.match(await text('.changed'), /model small-1 → small-2/);
    assert.match(await text('[id=x0] .evaluators tbody tr'), /correct.*not significant, p = .*✘ fails mean\(correct\) >= 0.9/);
    assert.deepEqual(await ids(), ['en-00', 'en-01', 'en-03', 'en-04', 'en-02']);
    assert.equal(await count(), '5 of 12 shown');

    // Every filter.
    const filters = {all: 12, failed: 4, errors: 1, regressed: 3, fixed: 1, changed: 5, flaky: 1, attention: 5};
    for (const [filter, n] of Object.entries(filters)) {
      await click(`[data-f=${filter}]`);
      assert.equal((await ids()).length, n, filter);
      assert.equal(await page.$eval(`[data-f=${filter}]`, b => b.getAttribute('aria-pressed')), 'true');
      assert.equal(await page.$$eval('[data-f][aria-pressed=true]', all => all.length), 1);
    }
    assert.equal(await hash(), '');

    // A bar of a histogram sets the score filter, its chip takes it away.
    await click('.hist button[data-e="1"][data-bin^="0.2:"]');
    assert.deepEqual(await ids(), ['en-00', 'en-01', 'en-02']);
    assert.equal(await text('.chip'), 'close 0.2 to 0.3 ✕');
    assert.match(await hash(), /e=1:0.2:0.3/);
    await click('.chip');
    assert.equal((await ids()).length, 12);
    await click('.hist button[data-e="0"]:last-child');
    assert.equal((await ids()).length, 7, 'the last bin has its upper end');
    await click('.clear');
    assert.equal((await ids()).length, 5);

    // Slices, search, and both.
    await page.select('.slices', 'lang:en');
    assert.deepEqual(await ids(), ['en-00', 'en-04', 'en-02']);
    await page.select('.slices', 'short');
    assert.deepEqual(await ids(), ['en-00', 'en-01', 'en-03', 'en-02']);
    await press('/');
    await page.keyboard.type('french NUMBER 2');
    await until(() => document.querySelectorAll('.cases .open').length === 1);
    assert.deepEqual(await ids(), ['en-02']);
    assert.match(await hash(), /q=french\+NUMBER\+2.*t=short|t=short.*q=french/);
    await page.keyboard.type(' nowhere');
    await until(() => document.querySelector('.cases .none'));
    assert.equal(await count(), '0 of 12 shown');
    await press('Escape');
    assert.equal((await ids()).length, 4);
    await click('.clear');

    // Every column sorts, and says so.
    await click('[data-f=all]');
    for (const key of await page.$$eval('.cases th', all => all.map(th => th.dataset.s))) {
      const sort = () => page.$eval(`th[data-s=${key}]`, th => th.getAttribute('aria-sort'));
      await click(`th[data-s=${key}] button`);
      const first = await sort();
      const one = await ids();
      await click(`th[data-s=${key}] button`);
      const second = await sort();
      const two = await ids();
      assert.deepEqual([first, second].sort(), ['ascending', 'descending'], key);
      assert.notDeepEqual(one, two, key);
      assert.equal(await page.$$eval('.cases [aria-sort]', all => all.length), 1);
      await click(`th[data-s=${key}] button`);
      assert.equal(await sort(), null);
    }
    await click('th[data-s=e1] button');
    assert.deepEqual((await ids()).slice(0, 3), ['en-00', 'en-01', 'en-02']);
    await click('th[data-s=time] button');
    assert.equal((await ids())[0], 'en-11');
    await press('2', '2');
    assert.equal(await page.$eval('th[data-s=e1]', th => th.getAttribute('aria-sort')), 'descending');
    await press('2');

    // Rows by keys.
    const focused = () => page.evaluate(() => document.activeElement.textContent);
    await press('a', 'j');
    assert.equal(await focused(), 'en-00');
    await press('j', 'j', 'k');
    assert.equal(await focused(), 'en-01');
    await press('ArrowDown', 'ArrowDown', 'ArrowUp');
    assert.equal(await focused(), 'en-03');
    await press('G');
    assert.equal(await focused(), 'en-11');
    await press('g', 'g');
    assert.equal(await focused(), 'en-00');
    await press('n', 'n');
    assert.equal(await focused(), 'en-03');
    await press('p');
    assert.equal(await focused(), 'en-01');
    await press('f');
    assert.equal((await ids()).length, 4);
    await press('r');
    assert.equal((await ids()).length, 3);
    await press('b');
    assert.equal(await page.$eval('.difference', e => getComputedStyle(e).visibility), 'hidden');
    assert.equal(await page.$$eval('.cases td.c-score small', all => all.length), 0);
    await press('b');
    assert.match(await text('.cases td.c-score small'), /▼ was ✔/);

    // The drawer: opened by a key, by a click, and stepped through.
    await press('a', 'g', 'g', 'j', 'Enter');
    assert.ok(await isOpen());
    assert.equal(await text('#case-id'), '✘ fail en-01');
    assert.equal(await text('#position'), '2 of 12');
    assert.match(await hash(), /dp=en-01/);
    await press('j');
    assert.equal(await text('#case-id'), '✘ fail en-03');
    await press('k');
    assert.equal(await text('#case-id'), '✘ fail en-01');
    await page.click('#next');
    await page.click('#next');
    assert.equal(await text('#case-id'), '! error en-04');
    assert.match(await text('.panes'), /no such language/);
    await page.click('#previous');
    await press('n', 'p');
    assert.equal(await text('#case-id'), '✘ fail en-03');
    await press('Escape');
    assert.ok(!await isOpen());
    assert.equal(await focused(), 'en-03', 'focus returns to the row');
    assert.ok(!/dp=/.test(await hash()));
    await press('o');
    assert.ok(await isOpen());
    await page.click('#close');
    await click('.cases tbody tr:nth-child(3) td.c-out');
    assert.equal(await text('#case-id'), '✘ fail en-03');

    await press('k', 'k');
    assert.equal(await text('.modes [aria-pressed=true]'), 'Against before', 'what got worse is compared');
    await press('j', 'j');

    // Attempts, of which the one that failed is shown first.
    assert.equal(await text('[role=tab][aria-selected=true]'), '✘ Attempt 2');
    assert.match(await text('.scores'), /✘ no.*another language/);
    await page.click('[role=tab]');
    assert.match(await text('.scores'), /✔ yes.*the same/);
    assert.match(await hash(), /at=1/);
    await press('ArrowRight');
    assert.equal(await focused(), '✘ Attempt 2');

    // Word by word, against what was expected and what came out before.
    assert.equal(await text('.modes [aria-pressed=true]'), 'Against expected');
    await press('d');
    assert.equal(await text('.modes [aria-pressed=true]'), 'Against before');
    assert.deepEqual([await text('.diff del'), await text('.diff ins')], ['English', 'French']);
    await press('d');
    assert.equal(await text('.modes [aria-pressed=true]'), 'Output');
    assert.equal(await page.$('.diff'), null);
    await page.click('[data-mode=expected]');
    assert.deepEqual(await texts('.diff del, .diff ins'), ['English', 'French']);
    assert.equal(await focused(), 'Against expected');
    await press('d');

    assert.match(await text('#attempt .about'), /^370 ms in the function · 1,234 → 7 tok · session session-3-2$/);

    // The trace: a tree, and what each span says.
    assert.deepEqual(await texts('.waterfall .name'),
      ['detect', 'detect', 'chat small-1', '! look up', 'evaluator.correct']);
    assert.deepEqual(await texts('.waterfall .ms'), ['720 ms', '700 ms', '580 ms', '80 ms', '1 ms']);
    assert.equal(await text('.waterfall .model .tok'), '1,234 → 7 tok');
    const widths = await page.$$eval('.fill', all => all.map(e => e.getBoundingClientRect().width));
    assert.ok(widths[0] > widths[2] && widths[2] > widths[3] && widths[3] > 0, String(widths));
    await press('t');
    assert.match(await focused(), /^detect/);
    for (const button of await page.$$('.waterfall button')) await button.click();
    const spans = await texts('.span');
    assert.deepEqual(await page.$$eval('.waterfall .model .chat li', all => all.map(e => e.className)),
      ['system', 'user', 'assistant']);
    assert.match(spans[1], /user.*In which language.*assistant.*in French/);
    assert.match(spans[2], /Answer with one code\..*assistant · stop.*gen_ai\.request\.model/);
    assert.ok(!/gen_ai\.input\.messages/.test(spans[2]), 'messages are not shown twice');
    assert.match(spans[3], /no such table.*exception at 690 ms.*exception\.message/);
    await page.click('.waterfall button');
    assert.equal(await page.$eval('.waterfall button', b => b.getAttribute('aria-expanded')), 'false');
    await page.$$eval('#case details summary', all => all.at(-1).click());
    await until(() => /"session|"inputs": \{/.test(document.querySelector('#case details pre')?.textContent));

    // The command is copied by a key and by its button.
    await press('y');
    await until(() => /copied/.test(document.querySelector('#said').textContent));
    const command = 'cargo test -p app --test evals -- --exact detect::en-03';
    assert.equal(await text('.rerun'), command);
    assert.equal(await paste(page), command);
    await page.click('#copy-trace');
    await until(() => /^Trace id/.test(document.querySelector('#said').textContent));
    assert.equal(await paste(page), '00000000000000000000000000000020');
    await page.mouse.click(10, 400);
    assert.ok(!await isOpen(), 'a click beside the drawer closes it');

    // Themes, help, and the way past the header.
    const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    assert.equal(await back(), 'rgb(255, 255, 255)');
    await page.click('#theme');
    assert.equal(await text('#theme'), 'Theme: dark');
    assert.equal(await back(), 'rgb(20, 23, 27)');
    await page.click('#theme');
    assert.equal(await text('#theme'), 'Theme: light');
    await page.click('#theme');
    await press('?');
    assert.ok(await page.$eval('#help', e => e.open));
    await press('j', 'Escape');
    assert.ok(!await page.$eval('#help', e => e.open));
    await page.click('#keys');
    await page.click('#help button');
    await page.evaluate(() => document.querySelector('.skip').focus());
    await press('Enter');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'cases0');
    assert.equal((await ids()).length, 12, 'the view is what it was');
    await page.click('footer summary');
    assert.match(await text('footer'), /sign-flip permutation test.*seed 0.*12 of 12 rows, 3 attempts each/s);
  },

  async addresses(browser, [path]) {
    const page = await open(browser, path, {hash: '#f=all&q=french&t=short&e=1:0.2:0.3&s=-id&dp=en-01&at=3'});
    const {text, ids, hash, isOpen, press, until} = helpers(page);
    assert.deepEqual(await ids(), ['en-02', 'en-01', 'en-00']);
    assert.equal(await text('#case-id'), '✘ fail en-01');
    assert.equal(await text('[role=tab][aria-selected=true]'), '✘ Attempt 3');
    await press('Escape');
    const address = await hash();
    assert.equal(address, '#f=all&q=french&t=short&e=1:0.2:0.3&s=-id');
    // Whatever closes a case takes it out of the address at once, not in a later task of the browser:
    // a case that is opened in between stays the one that the address names.
    const [closed, reopened] = await page.evaluate(async () => {
      const cases = document.querySelectorAll('.cases .open');
      cases[0].click();
      document.querySelector('#close').click();
      const closed = location.hash;
      cases[2].click();
      await new Promise(done => setTimeout(done, 100));
      return [closed, location.hash];
    });
    assert.doesNotMatch(closed, /dp=/);
    assert.match(reopened, /dp=en-00/);
    assert.ok(await isOpen());
    await press('Escape');
    assert.ok(!await isOpen());
    assert.equal(await hash(), address);
    // A case that the filters hide is shown all the same.
    await page.evaluate(() => { location.hash = '#f=flaky&dp=en-07'; });
    await until(() => document.querySelector('#case').open);
    assert.equal(await text('#case-id'), '✔ pass en-07');
    await press('Escape');
    assert.equal((await ids()).length, 12);
    // Nonsense is as good as nothing.
    await page.evaluate(() => { location.hash = '#f=__proto__&e=9:x:y&s=constructor&x=none&dp=nobody&at=77'; });
    await until(() => document.querySelectorAll('.cases .open').length === 5);
    assert.equal(await hash(), '#s=constructor');
  },

  async experiments(browser, [path, empty]) {
    const page = await open(browser, path);
    const {text, texts, ids, hash, until} = helpers(page);
    assert.equal(await text('h1'), '✘ FAIL app/evals: 3 experiments');
    assert.deepEqual(await texts('.tabs a'), ['✔ PASS translate 2 of 2', '✘ FAIL detect 1 of 2', '✔ PASS summarise 2 of 2']);
    // What failed comes first.
    assert.equal(await text('.tabs [aria-current]'), '✘ FAIL detect 1 of 2');
    assert.deepEqual(await ids(), ['detect-0']);
    await page.click('.tabs li:nth-child(3) a');
    await until(() => document.querySelector('#x1').hidden);
    assert.deepEqual(await ids(), ['summarise-0', 'summarise-1']);
    assert.equal(await hash(), '#x=summarise');
    await page.click('#cases2 tbody tr:last-child .open');
    assert.equal(await text('.rerun'), 'cargo test -p app --test evals -- --exact summarise::summarise-1');
    // A run of nothing has nothing to press, and no key breaks it.
    const nothing = await open(browser, empty);
    await helpers(nothing).press('j', 'Enter', 'n', '/', 'y', 'f', '1', 'G', '?', 'Escape');
    await nothing.click('#theme');
    assert.match(await helpers(nothing).text('header'), /No experiment was run/);
  },

  async accessibility(browser, paths) {
    for (const path of paths) {
      for (const dark of [false, true]) {
        for (const width of [1280, 320]) {
          const page = await open(browser, path, {dark, width});
          const check = async where => {
            await page.evaluate(axe);
            const {violations} = await page.evaluate(() => axe.run(document, {resultTypes: ['violations']}));
            for (const one of violations) {
              wrong.push(`${path} ${dark ? 'dark' : 'light'} ${width} ${where}: ${one.id}: ${one.help}\n` +
                one.nodes.slice(0, 3).map(node => `  ${node.html}\n  ${node.failureSummary}`).join('\n'));
            }
            const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            if (wide > 0) wrong.push(`${path} ${width} ${where}: ${wide} px too wide`);
          };
          await check('page');
          await page.click('.experiment:not([hidden]) [data-f=all]');
          await page.click('.experiment:not([hidden]) .cases tbody tr .open');
          for (const button of await page.$$('.waterfall button')) await button.click();
          await check('drawer');
          await page.keyboard.press('Escape');
          await page.keyboard.press('?');
          await check('help');
          await page.close();
        }
      }
    }
  },

  async plain(browser, [path]) {
    const page = await open(browser, path, {script: false});
    // Without its script a page cannot be asked by functions that run in it.
    const client = await page.createCDPSession();
    const {root} = await client.send('DOM.getDocument', {depth: -1});
    const seen = JSON.stringify(root);
    for (const text of ['12 cases', 'en-11', 'The sentence number 0 is in French', 'detect::en-00', 'p = 0.625']) {
      assert.ok(seen.includes(text), text);
    }
    await page.close();
    const paper = await open(browser, path);
    await paper.emulateMediaType('print');
    const gone = await paper.$$eval('.toolbar, .tools, .more', all => all.every(e => getComputedStyle(e).display === 'none'));
    assert.ok(gone);
    assert.ok((await paper.pdf()).length > 10_000);
  },

  async hostile(browser, [path]) {
    const page = await open(browser, path);
    const {ids, press, text, isOpen, until} = helpers(page);
    assert.equal((await ids()).length, 13);
    assert.match(await text('h1'), /<\/script><b>x/);
    const inert = async () => assert.deepEqual(await page.evaluate(() => ({
      hacked: window.hacked, images: document.images.length, links: document.querySelectorAll('a[href*=example], a[href^=javascript]').length,
      scripts: [...document.scripts].filter(s => !s.type).length, styles: document.querySelectorAll('style').length,
      handlers: document.querySelectorAll('[onerror], [onload], svg[onload]').length,
    })), {images: 0, links: 0, scripts: 1, styles: 1, handlers: 0});
    await inert();
    await press('j', 'Enter');
    for (let at = 0; at < 13; at++) {
      assert.ok(await isOpen());
      await page.$$eval('.waterfall button, [data-mode], #case summary', all => all.forEach(b => b.click()));
      await inert();
      const shown = await page.$eval('#case', e => e.innerText);
      assert.ok(!/[\0-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/.test(shown), 'what is invisible is visible: ' + at);
      if (at < 12) await press('j');
    }
    assert.match(await text('#case-id'), /long/);
    assert.match(await text('.panes'), /\[cut: 1,048,576 bytes in all\]/);
    assert.equal(await page.$$eval('.waterfall > li', all => all.length), 3, 'spans in a circle are shown');
    await press('Escape', '/');
    await page.keyboard.type('</script><script>');
    await until(() => document.querySelectorAll('.cases .open').length < 13);
    await inert();
    const height = await page.$eval('.cases tbody tr', e => e.getBoundingClientRect().height);
    assert.ok(height < 220, 'rows are clamped: ' + height);
    await page.evaluate(() => { document.body.append(Object.assign(document.createElement('a'), {textContent: 'x'})); });
    // The policy refuses what the page did not bring along; the refusals are all that the console says.
    const before = wrong.length;
    await page.evaluate(() => {
      const script = document.createElement('script');
      try { script.text = 'window.hacked = 7'; document.body.append(script); } catch { /* trusted types */ }
      const image = new Image();
      image.src = 'https://example.com/x.png';
      document.body.append(image);
    });
    const deadline = performance.now() + PATIENCE;
    while (wrong.length < before + 2 && performance.now() < deadline) {
      await new Promise(done => setTimeout(done, 20));
    }
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    const refused = wrong.splice(before);
    assert.ok(refused.length > 0 && refused.every(line => /Content Security Policy|Trusted|example\.com/.test(line)), refused.join('\n'));
  },

  async many(browser, [path]) {
    let begin = performance.now();
    const page = await open(browser, path);
    const {ids, count, press, click, until} = helpers(page);
    await until(() => document.querySelector('.shown').textContent);
    const load = performance.now() - begin;
    assert.equal(await count(), '1,000 of 10,000 shown');
    assert.equal((await ids()).length, 100);
    await click('[data-f=all]');
    await press('/');
    begin = performance.now();
    await page.keyboard.type('sentence 77');
    const found = Array.from({length: 10000}, (_, row) => String(row)).filter(row => row.includes('77')).length;
    await until(text => document.querySelector('.shown').textContent === text, `${found} of 10,000 shown`);
    const search = performance.now() - begin;
    await press('Escape');
    begin = performance.now();
    await click('th[data-s=time] button');
    await until(() => document.querySelector('.cases [aria-sort]'));
    const sort = performance.now() - begin;
    await click('.more button');
    assert.equal((await ids()).length, 300);
    await press('a', 'G', 'j');
    assert.equal((await ids()).length, 200, 'the next rows come when somebody goes there');
    begin = performance.now();
    await press('Enter');
    await until(() => document.querySelector('#case').open);
    const opened = performance.now() - begin;
    said.push(`10,000 cases: ${(fs.statSync(path).size / 1e6).toFixed(1)} MB, loaded in ${load.toFixed(0)} ms, ` +
      `searched in ${search.toFixed(0)} ms, sorted in ${sort.toFixed(0)} ms, opened in ${opened.toFixed(0)} ms`);
  },
};

// What the clipboard gives to a field of text.
async function paste(page) {
  await page.evaluate(() => {
    const area = document.createElement('textarea');
    area.id = 'pasted';
    document.querySelector('dialog[open]').append(area);
    area.focus();
  });
  await page.keyboard.press('v', {commands: ['paste']});
  return page.$eval('#pasted', area => {
    const text = area.value;
    area.remove();
    return text.replace(/v$/, '');
  });
}

(async () => {
  const browser = await puppeteer.launch({
    executablePath: process.env.CHROMIUM, headless: true, pipe: true, userDataDir: process.env.PROFILE,
    timeout: PATIENCE, protocolTimeout: PATIENCE,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
  });
  try {
    await SCENARIOS[scenario](browser, pages);
    if (wrong.length) throw new Error('the browser or axe-core complains');
  } finally {
    await browser.close();
  }
  fs.writeFileSync(figures, said.join('\n'));
})().catch(error => {
  console.error(error.stack);
  if (wrong.length) console.error(wrong.join('\n'));
  process.exitCode = 1;
});
