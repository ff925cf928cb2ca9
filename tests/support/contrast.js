(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgba = (text) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = text;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const over = (top, below) => top.slice(0, 3).map((c, i) => c * top[3] + below[i] * (1 - top[3]));
  const light = (c) => {
    const [r, g, b] = c.map((x) => (x /= 255) <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (a, b) => {
    const [high, low] = [light(a), light(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const behind = (element) => {
    const layers = [];
    for (let e = element; e; e = e.parentElement) layers.push(rgba(getComputedStyle(e).backgroundColor));
    return layers.reverse().reduce((below, top) => over(top, below), [255, 255, 255]);
  };
  // Text of a chart lies on what was drawn before it at that place.
  const drawnBehind = (text) => {
    const box = text.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    let below = behind(text.closest('svg'));
    for (const shape of text.closest('svg').querySelectorAll('rect,text')) {
      if (shape === text) break;
      const at = shape.getBoundingClientRect();
      const covers = shape.tagName === 'rect' && at.left <= x && x <= at.right && at.top <= y && y <= at.bottom;
      const style = getComputedStyle(shape);
      if (!covers || style.fill === 'none') continue;
      const fill = rgba(style.fill);
      fill[3] *= Number(style.opacity);
      below = over(fill, below);
    }
    return below;
  };
  const bad = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim();
    const element = walker.currentNode.parentElement;
    if (!text || element.closest('script,style,title') || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const isSvg = element instanceof SVGElement;
    const below = isSvg ? drawnBehind(element) : behind(element);
    const colour = over(rgba(isSvg ? style.fill : style.color), below);
    const size = parseFloat(style.fontSize);
    const isLarge = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
    const got = ratio(colour, below);
    if (got < (isLarge ? 3 : 4.5)) bad.add(`${got.toFixed(2)} of "${text.slice(0, 40)}" in <${element.tagName.toLowerCase()} class="${element.getAttribute('class') ?? ''}">`);
  }
  return [...bad];
})()
