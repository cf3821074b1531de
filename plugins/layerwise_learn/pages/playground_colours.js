// Colours of maps, points and weights, which follow the theme.
const CLASS_COLOURS = [[222, 124, 30], [38, 118, 190], [30, 140, 96], [142, 84, 184]];

function playgroundColours(element) {
  const mix = (from, to, share) => from.map((value, index) => value + (to[index] - value) * share);
  let neutral = [255, 255, 255];
  let scale = [];

  // From -1, the first colour, over the background to 1, the second.
  function read() {
    const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    probe.fillStyle = getComputedStyle(element).getPropertyValue("--pg-neutral").trim();
    probe.fillRect(0, 0, 1, 1);
    neutral = [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3);
    scale = Array.from({ length: 256 }, (_, byte) => {
      const value = byte / 127.5 - 1;
      return mix(neutral, CLASS_COLOURS[value < 0 ? 0 : 1], Math.abs(value) * 0.9);
    });
  }

  const css = (colour) => `rgb(${colour.map(Math.round).join(" ")})`;

  // One map: bytes [side * side], 128 in the middle.
  function image(bytes, colourAt) {
    const side = Math.sqrt(bytes.length);
    const picture = new ImageData(side, side);
    for (let place = 0; place < bytes.length; place++) {
      const [red, green, blue] = colourAt(place, bytes[place]);
      picture.data.set([red, green, blue, 255], 4 * place);
    }
    return picture;
  }

  return {
    read,
    css,
    ofValue: (value) => css(scale[Math.round(255 * Math.min(1, Math.max(0, (value + 1) / 2)))]),
    ofClass: (index) => css(CLASS_COLOURS[index]),
    // Darker than the surface that it lies on.
    ofPoint: (index) => css(mix(CLASS_COLOURS[index], [0, 0, 0], 0.3)),
    ofWeight: (value) => css(CLASS_COLOURS[value < 0 ? 0 : 1]),
    map: (bytes, decided = false) => image(bytes, (_, byte) => scale[decided ? (byte > 127 ? 255 : 0) : byte]),
    // Several classes: the colour of the most probable one, paler the less sure it is.
    classes(maps, decided) {
      const even = 1 / maps.length;
      return image(maps[0], (place) => {
        const best = maps.reduce((winner, map, index) => (map[place] > maps[winner][place] ? index : winner), 0);
        const sure = (maps[best][place] / 255 - even) / (1 - even);
        return mix(neutral, CLASS_COLOURS[best], decided ? 0.9 : 0.15 + 0.75 * Math.max(0, sure));
      });
    },
  };
}
