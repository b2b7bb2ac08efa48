// What two texts have in common, word by word: Myers' algorithm on what differs in the middle.
const WORDS = 6000, EDITS = 1200;

// [[-1 | 0 | 1, text], ...]: only in a, in both, only in b; null where they are too different.
function diff(a, b) {
  const words = text => text.match(/\s+|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu) || [];
  const from = words(a), to = words(b);
  let start = 0, end = 0;
  const shorter = Math.min(from.length, to.length);
  while (start < shorter && from[start] === to[start]) start++;
  while (end < shorter - start && from[from.length - 1 - end] === to[to.length - 1 - end]) end++;
  const x = from.slice(start, from.length - end), y = to.slice(start, to.length - end);
  if (x.length + y.length > WORDS) return null;
  const middle = edits(x, y);
  if (!middle) return null;
  const parts = [];
  const add = (kind, word) => {
    const last = parts[parts.length - 1];
    if (last && last[0] === kind) last[1] += word; else parts.push([kind, word]);
  };
  from.slice(0, start).forEach(word => add(0, word));
  middle.forEach(([kind, word]) => add(kind, word));
  from.slice(from.length - end).forEach(word => add(0, word));
  return calm(parts);
}

// A space or a comma in common between two changes is a coincidence: one change reads better.
function calm(parts) {
  const calmer = [];
  for (let at = 0; at < parts.length;) {
    if (parts[at][0] === 0) { calmer.push(parts[at++]); continue; }
    let gone = '', come = '';
    for (; at < parts.length; at++) {
      const [kind, text] = parts[at];
      if (kind === 0 && (text.trim().length > 2 || at + 1 === parts.length)) break;
      if (kind <= 0) gone += text;
      if (kind >= 0) come += text;
    }
    if (gone) calmer.push([-1, gone]);
    if (come) calmer.push([1, come]);
  }
  return calmer;
}

// How much of the longer text both have, from 0 to 1.
function likeness(a, b) {
  const same = (diff(a, b) || []).filter(([kind]) => kind === 0).reduce((n, [, text]) => n + text.length, 0);
  return same / Math.max(a.length, b.length, 1);
}

function edits(a, b) {
  const most = Math.min(a.length + b.length, EDITS), middle = most + 1;
  const furthest = new Int32Array(2 * most + 3), steps = [];
  for (let d = 0; d <= most; d++) {
    // What was known before this step: diagonals -d to d, and one beyond each.
    steps.push(furthest.slice(middle - d - 1, middle + d + 2));
    for (let k = -d; k <= d; k += 2) {
      const at = middle + k;
      const down = k === -d || (k !== d && furthest[at - 1] < furthest[at + 1]);
      let x = down ? furthest[at + 1] : furthest[at - 1] + 1;
      while (x < a.length && x - k < b.length && a[x] === b[x - k]) x++;
      furthest[at] = x;
      if (x >= a.length && x - k >= b.length) return trail(a, b, steps, d);
    }
  }
  return null;
}

function trail(a, b, steps, d) {
  const parts = [];
  let x = a.length, y = b.length;
  for (; d >= 0; d--) {
    const k = x - y, known = diagonal => steps[d][diagonal + d + 1];
    const down = k === -d || (k !== d && known(k - 1) < known(k + 1));
    const before = down ? k + 1 : k - 1;
    const px = d === 0 ? 0 : known(before), py = d === 0 ? 0 : px - before;
    while (x > px && y > py) { parts.push([0, a[--x]]); y--; }
    if (d === 0) break;
    if (down) parts.push([1, b[--y]]); else parts.push([-1, a[--x]]);
  }
  return parts.reverse();
}
