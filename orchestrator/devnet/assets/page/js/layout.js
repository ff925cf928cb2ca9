// Where nodes stand in the picture: on rings, each side of a cut on its own.

// Places by name, with circles around the sides. `groups` may be empty.
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
  return { places, hulls, scale: scale(names.length), radiusOf };
}

// Nodes are drawn smaller where there are many.
export const scale = (count) => (count <= 12 ? 1 : count <= 30 ? 0.8 : count <= 60 ? 0.6 : 0.45);

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
