// Where nodes stand in the picture: on rings, each side of a cut on its own.

// Free space between two nodes, between one and a name above it, and how small
// nodes get for its sake.
const GAP = 4;
const NAME_GAP = 24;
const NAME_REACH = 50;
const NAMED_MAX = 30;
const SCALE_MIN = 0.4;

// Places by name, with circles around the sides, and how large nodes are drawn of
// what `radiusOf` a name says. `groups` may be empty.
export function place(names, groups, width, height, radiusOf) {
  const listed = new Set(groups.flat());
  const rest = names.filter((name) => !listed.has(name));
  const sides = groups.length ? groups.map((group) => group.filter((name) => names.includes(name))) : [names];
  if (groups.length && rest.length) sides.push(rest);
  const cells = areas(sides, width, height);
  const places = new Map();
  const hulls = [];
  sides.forEach((side, at) => {
    const { x, y, rx, ry } = cells[at];
    ring(side, x, y, rx, ry, places);
    if (sides.length > 1) hulls.push({ x, y, rx: rx + 44, ry: ry + 44, nodes: side });
  });
  return { places, hulls, scale: Math.min(scale(names.length), Math.max(SCALE_MIN, room(places, radiusOf))) };
}

// Nodes are drawn smaller where there are many.
export const scale = (count) => (count <= 12 ? 1 : count <= 30 ? 0.8 : count <= 60 ? 0.6 : 0.45);

// The scale at which no two nodes touch.
function room(places, radiusOf) {
  const all = [...places].map(([name, { x, y }]) => ({ x, y, r: radiusOf(name) }));
  let least = 1;
  all.forEach((a, at) => {
    for (const b of all.slice(at + 1)) {
      const gap = all.length <= NAMED_MAX && Math.abs(a.x - b.x) < NAME_REACH ? NAME_GAP : GAP;
      least = Math.min(least, (Math.hypot(a.x - b.x, a.y - b.y) - gap) / (a.r + b.r));
    }
  });
  return least;
}

// An ellipse for each side, side by side, or one below the other on a narrow page.
function areas(sides, width, height) {
  const isWide = width > height * 1.1;
  const weights = sides.map((side) => Math.sqrt(side.length) + 0.6);
  const sum = weights.reduce((a, b) => a + b, 0);
  const length = isWide ? width : height;
  let from = 0;
  return weights.map((weight) => {
    const part = (length * weight) / sum;
    const middle = from + part / 2;
    from += part;
    const [w, h] = isWide ? [part, height] : [width, part];
    const margin = sides.length > 1 ? 62 : 58;
    return {
      x: isWide ? middle : width / 2,
      y: (isWide ? height / 2 : middle) - (sides.length > 1 ? 0 : 4),
      rx: Math.max(14, w / 2 - margin),
      ry: Math.max(14, h / 2 - margin),
    };
  });
}

function ring(names, x, y, rx, ry, places) {
  const count = names.length;
  if (count === 1) {
    places.set(names[0], { x, y });
    return;
  }
  if (count === 2) {
    const step = Math.min(rx, 90);
    places.set(names[0], { x: x - step, y });
    places.set(names[1], { x: x + step, y });
    return;
  }
  const wide = Math.min(rx, ry * 2.1);
  if (count <= 24) {
    names.forEach((name, at) => {
      const turn = (at / count) * 2 * Math.PI - Math.PI / 2;
      places.set(name, { x: x + wide * Math.cos(turn), y: y + ry * Math.sin(turn) });
    });
    return;
  }
  // A sunflower: even distances without rings that have to be filled.
  const golden = Math.PI * (3 - Math.sqrt(5));
  names.forEach((name, at) => {
    const distance = Math.sqrt((at + 0.5) / count);
    places.set(name, { x: x + wide * distance * Math.cos(at * golden), y: y + ry * distance * Math.sin(at * golden) });
  });
}
