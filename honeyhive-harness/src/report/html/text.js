// Elements and text. Nothing here ever makes markup of a string.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// An element: h('td.c-id', {title: 'x'}, 'text', child, ...).
function h(what, properties, ...children) {
  const [tag, ...classes] = what.split('.');
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(' ');
  for (const [name, value] of Object.entries(properties || {})) {
    if (value == null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(Infinity).filter(child => child != null && child !== false));
  return element;
}

// What cannot be seen becomes visible, as in the part of the page that is written without us.
const invisible = /[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;
const visible = text => String(text).replace(invisible, c => {
  const code = c.charCodeAt(0);
  if (c === '\r') return '';
  if (code < 32) return String.fromCharCode(0x2400 + code);
  if (code === 127) return '\u2421';
  return '[U+' + code.toString(16).toUpperCase().padStart(4, '0') + ']';
});

const plain = value => value === undefined ? '' :
  typeof value === 'string' ? value : JSON.stringify(value);
const pretty = value => value === undefined ? '' :
  typeof value === 'string' ? value : JSON.stringify(value, null, 2);
const brief = (value, most = 240) => {
  const text = plain(value);
  return visible(text.length > most ? text.slice(0, most) + '…' : text);
};
const number = value => {
  if (Math.abs(value) >= 1e15 && Number.isFinite(value)) {
    const [mantissa, exponent] = value.toExponential(3).split('e');
    return `${Number(mantissa)}e${Number(exponent)}`;
  }
  if (value !== 0 && Math.abs(value) < 5e-4) return value.toExponential(1);
  return String(Number(value.toFixed(3)));
};
const duration = ms =>
  ms < 0.9995 ? digits(ms * 1e3) + ' µs' : ms < 999.5 ? digits(ms) + ' ms' :
  ms < 59950 ? digits(ms / 1e3) + ' s' :
  Math.floor(ms / 6e4) + ' m ' + String(Math.floor(ms / 1e3) % 60).padStart(2, '0') + ' s';
const digits = value => String(Number(value.toFixed(value < 9.995 ? 2 : value < 99.95 ? 1 : 0)));
const grouped = value => String(value).replace(/\B(?=(\d{3})+$)/g, ',');
