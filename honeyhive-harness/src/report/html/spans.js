// The trace of an attempt: a waterfall, and what each span says.
const ROLES = new Set(['system', 'user', 'assistant', 'tool', 'developer']);

function traceOf(c) {
  const element = document.getElementById('t' + view.x + '.' + c.place);
  return element ? JSON.parse(element.textContent) : null;
}

const parsed = value => {
  if (typeof value !== 'string') return value;
  try { return JSON.parse(value); } catch { return undefined; }
};

// Messages by every convention that spans follow, and the attributes they were found in.
function messagesOf(attributes) {
  const found = [], used = new Set();
  const add = (role, text, note) => found.push({role: ROLES.has(role) ? role : 'other', name: role, text, note});
  const take = key => { used.add(key); return attributes[key]; };
  if ('gen_ai.system_instructions' in attributes) {
    const raw = take('gen_ai.system_instructions'), list = parsed(raw);
    add('system', Array.isArray(list) ? list.map(part).join('\n') : plain(raw));
  }
  for (const [key, answer] of [['gen_ai.input.messages', false], ['gen_ai.output.messages', true]]) {
    const list = key in attributes && parsed(attributes[key]);
    if (!Array.isArray(list)) continue;
    used.add(key);
    for (const message of list) {
      if (!message || typeof message !== 'object') { add('other', plain(message)); continue; }
      const parts = Array.isArray(message.parts) ? message.parts.map(part).join('\n') : plain(message.content);
      add(message.role || (answer ? 'assistant' : 'user'), parts, message.finish_reason);
    }
  }
  const families = [
    /^llm\.(?:input|output)_messages\.(\d+)\.message\.(.+)$/,
    /^gen_ai\.(?:prompt|completion)\.(\d+)\.(.+)$/,
  ];
  for (const family of families) {
    const groups = new Map();
    for (const key of Object.keys(attributes)) {
      const match = family.exec(key);
      if (!match) continue;
      const group = key.slice(0, key.indexOf(match[1])) + match[1];
      if (!groups.has(group)) groups.set(group, {rest: []});
      const message = groups.get(group), value = take(key);
      if (match[2] === 'role') message.role = value;
      else if (match[2] === 'content') message.text = plain(value);
      else message.rest.push(match[2] + ': ' + plain(value));
    }
    // `input` and `prompt` before `output` and `completion`; numbers as numbers.
    const rank = group => (/output|completion/.test(group) ? 1e6 : 0) + Number(/\d+$/.exec(group)[0]);
    for (const group of [...groups.keys()].sort((a, b) => rank(a) - rank(b))) {
      const {role, text, rest} = groups.get(group);
      add(role || (rank(group) >= 1e6 ? 'assistant' : 'user'), [text, ...rest].filter(Boolean).join('\n'));
    }
  }
  return {found, used};
}

function part(one) {
  if (!one || typeof one !== 'object') return plain(one);
  switch (one.type) {
    case 'text': case 'reasoning': return plain(one.content ?? one.text);
    case 'tool_call': return '→ ' + plain(one.name) + '(' + plain(one.arguments) + ')';
    case 'tool_call_response': return '← ' + plain(one.result ?? one.response);
    default: return pretty(one);
  }
}

const INTO = ['gen_ai.usage.input_tokens', 'llm.token_count.prompt', 'gen_ai.usage.prompt_tokens'];
const OUT = ['gen_ai.usage.output_tokens', 'llm.token_count.completion', 'gen_ai.usage.completion_tokens'];

// [into the model, out of it], as far as a span says.
const tokensOf = ({a = {}}) => [INTO, OUT].map(keys => a[keys.find(key => typeof a[key] === 'number')]);
const hasTokens = span => tokensOf(span).some(n => n !== undefined);
const tokenText = ([into, out]) => `${grouped(into ?? '?')} → ${grouped(out ?? '?')} tok`;

// What an agent says of itself is what the calls below it say, and counts once.
function totalTokens(spans) {
  const known = new Map(spans.map(span => [span.i, span])), above = new Set();
  const counting = spans.filter(hasTokens);
  for (const span of counting) {
    const seen = new Set();
    for (let id = span.p; known.has(id) && !seen.has(id); id = known.get(id).p) { seen.add(id); above.add(id); }
  }
  const leaves = counting.filter(span => !above.has(span.i)).map(tokensOf);
  if (!leaves.length) return '';
  return tokenText([0, 1].map(at => leaves.reduce((sum, pair) => sum + (pair[at] || 0), 0)));
}

// Spans in the order of a tree, with their depth. A parent that is missing makes a root.
function tree(spans) {
  const known = new Map(spans.map(span => [span.i, span])), below = new Map(), rows = [], seen = new Set();
  for (const span of spans) {
    const parent = known.has(span.p) && span.p !== span.i ? span.p : null;
    if (!below.has(parent)) below.set(parent, []);
    below.get(parent).push(span);
  }
  const stack = [[null, 0]];
  const open = (id, depth) => {
    const children = (below.get(id) || []).sort((a, b) => b.s - a.s);
    children.forEach(span => stack.push([span, depth]));
  };
  stack.pop();
  open(null, 0);
  while (stack.length) {
    const [span, depth] = stack.pop();
    if (seen.has(span)) continue;
    seen.add(span);
    rows.push([span, depth]);
    open(span.i, depth + 1);
  }
  // Spans that are each other's parents have no root.
  spans.filter(span => !seen.has(span)).forEach(span => rows.push([span, 0]));
  return rows;
}

function waterfall(trace) {
  const total = Math.max(1, ...trace.s.map(span => span.s + span.d));
  const rows = tree(trace.s).map(([span, depth], at) => {
    const bar = h('span.track', {'aria-hidden': 'true'}, h('span.fill'));
    const name = h('span.name', null, span.e !== undefined && h('i.s-fail', null, '! '), visible(span.n));
    name.style.paddingLeft = Math.min(depth, 12) * 14 + 'px';
    bar.firstChild.style.left = span.s / total * 100 + '%';
    bar.firstChild.style.width = Math.max(span.d / total * 100, .4) + '%';
    const details = h('div.span', {id: 'span' + at, hidden: true});
    const button = h('button', {
      type: 'button', 'aria-expanded': 'false', 'aria-controls': 'span' + at,
      onclick() {
        const open = details.hidden;
        details.hidden = !open;
        button.setAttribute('aria-expanded', open);
        if (open && !details.firstChild) details.append(...spanDetails(span));
      },
    }, name, bar, h('span.tok', null, hasTokens(span) ? tokenText(tokensOf(span)) : ''), h('span.ms', null, duration(span.d / 1e3)));
    return h('li', {class: kindOf(span)}, button, details);
  });
  const missing = [trace.o && `${trace.o} still open when the attempt ended`, trace.l && `${trace.l} beyond what is kept`];
  const list = h('ol.waterfall', null, rows);
  return missing.some(Boolean) ?
    [list, h('p.note', null, 'Spans that are not here: ' + missing.filter(Boolean).join(', ') + '.')] : [list];
}

function kindOf(span) {
  const a = span.a || {}, said = String(a.honeyhive_event_type || a['openinference.span.kind'] || a['gen_ai.operation.name'] || '').toLowerCase();
  if (/model|llm|chat|completion|generate/.test(said)) return 'model';
  if (/evaluat/.test(said) || /^evaluator\./.test(span.n)) return 'evaluator';
  return /tool|retriev/.test(said) ? 'tool' : 'chain';
}

function spanDetails(span) {
  const attributes = span.a || {}, {found, used} = messagesOf(attributes), parts = [];
  if (span.e !== undefined) parts.push(h('p.s-fail', {dir: 'auto'}, '! ' + (visible(span.e) || 'failed')));
  if (found.length) {
    parts.push(h('ul.chat', null, found.map(m => h('li.' + m.role, null,
      h('small', null, visible(plain(m.name)), m.note && ' · ' + visible(plain(m.note))),
      h('div', {dir: 'auto'}, visible(m.text))))));
  }
  const rest = Object.entries(attributes).filter(([key]) => !used.has(key));
  if (rest.length) parts.push(facts('Attributes', rest));
  for (const [name, at, said] of span.v || []) {
    parts.push(h('p.event', null, h('b', null, visible(name)), ' at ' + duration(at / 1e3)));
    if (Object.keys(said).length) parts.push(facts('Event ' + visible(name), Object.entries(said)));
  }
  if (span.l) parts.push(h('p.event', null, 'Links: ' + visible(span.l.join(', '))));
  return parts.length ? parts : [h('p.note', null, 'It says nothing about itself.')];
}

const facts = (caption, entries) => h('table.facts', null, h('caption.away', null, caption),
  entries.map(([key, value]) => h('tr', null, h('th', {scope: 'row'}, visible(key)),
    h('td', {dir: 'auto'}, visible(pretty(value))))));
