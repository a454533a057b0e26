() => {
  const parse = (text) => (text.match(/[\d.]+/g) || []).map(Number);
  const over = (top, ground) => {
    const alpha = top.length > 3 ? top[3] : 1;
    return [0, 1, 2].map((i) => top[i] * alpha + ground[i] * (1 - alpha));
  };
  const ground = (el) => {
    const layers = [];
    for (let at = el; at; at = at.parentElement) {
      const colour = parse(getComputedStyle(at).backgroundColor);
      layers.push(colour);
      if (colour.length === 3 || colour[3] === 1) break;
    }
    return layers.reverse().reduce((base, layer) => over(layer, base), [255, 255, 255]);
  };
  const light = (colour) => {
    const [r, g, b] = colour.slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => {
    const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const complaints = [];
  const shown = [...document.querySelectorAll("body *")].filter((el) => el.offsetParent);
  for (const el of shown) {
    const own = [...el.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const style = getComputedStyle(el);
    if (own && !el.disabled) {
      const found = ratio(over(parse(style.color), ground(el)), ground(el));
      if (found < 7) complaints.push("text " + found.toFixed(1) + " " + el.outerHTML.slice(0, 90));
    }
    if (el.matches("button, input, a.button, a.quiet")) {
      const around = ground(el.parentElement);
      const edge = ratio(parse(style.borderTopColor), around);
      const fill = ratio(ground(el), around);
      const plain = parse(style.borderTopColor)[3] === 0;
      const best = plain ? fill : Math.max(edge, fill);
      if (best < 3) complaints.push("edge " + best.toFixed(1) + " " + el.outerHTML.slice(0, 90));
    }
  }
  return complaints;
}
