// The network: a column of units for each layer, and behind them a line for each weight.
function playgroundNetwork(element, colours, on) {
  const box = element.querySelector(".pg-network");
  const columns = box.querySelector(".pg-columns");
  const lines = box.querySelector("canvas.pg-lines");
  const pen = lines.getContext("2d");
  let sizes = [];
  let units = [];
  let parameters = new Float64Array();
  let selected = { layer: 1, unit: 0 };
  let near = null;

  const offset = (layer) => {
    let start = 0;
    for (let index = 1; index < layer; index++) start += (sizes[index - 1] + 1) * sizes[index];
    return start;
  };
  const weightAt = (layer, from, to) => offset(layer) + from * sizes[layer] + to;
  const biasAt = (layer, unit) => offset(layer) + sizes[layer - 1] * sizes[layer] + unit;

  function unitName(layer, unit) {
    if (layer === 0) return on.featureTitle(unit);
    if (layer === sizes.length - 1) return sizes[layer] === 1 ? "output" : `output ${unit + 1}`;
    return `layer ${layer}, unit ${unit + 1}`;
  }

  // Draw what stays while the network learns. `heads` holds the heading of each column as elements.
  function open(newSizes, heads) {
    sizes = newSizes;
    if (selected.layer >= sizes.length || selected.unit >= sizes[selected.layer]) selected = { layer: sizes.length - 1, unit: 0 };
    columns.replaceChildren();
    units = sizes.map((size, layer) => {
      const column = document.createElement("div");
      column.className = "pg-column";
      column.setAttribute("role", "group");
      column.append(heads[layer]);
      const stack = document.createElement("div");
      stack.className = "pg-stack";
      const found = Array.from({ length: size }, (_, unit) => {
        const button = document.createElement("button");
        button.type = "button";
        button.className = "pg-unit";
        button.dataset.layer = layer;
        button.dataset.unit = unit;
        button.setAttribute("aria-label", `Look at ${unitName(layer, unit)}`);
        const canvas = document.createElement("canvas");
        canvas.width = canvas.height = 32;
        button.append(canvas);
        if (layer === 0) button.append(Object.assign(document.createElement("span"), { textContent: unitName(0, unit) }));
        stack.append(button);
        return button;
      });
      column.append(stack);
      columns.append(column);
      return found;
    });
    select(selected.layer, selected.unit);
  }

  function select(layer, unit, focus = false) {
    selected = { layer, unit };
    units.flat().forEach((button) => {
      const is = button === units[layer][unit];
      button.tabIndex = is ? 0 : -1;
      button.toggleAttribute("data-selected", is);
    });
    if (focus) units[layer][unit].focus();
    on.select(selected);
  }

  const middle = (button) => {
    const canvas = button.firstChild.getBoundingClientRect();
    const frame = lines.getBoundingClientRect();
    return [canvas.left - frame.left, canvas.right - frame.left, (canvas.top + canvas.bottom) / 2 - frame.top];
  };

  function drawLines() {
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [columns.scrollWidth, columns.scrollHeight];
    if (lines.width !== Math.round(width * ratio) || lines.height !== Math.round(height * ratio)) {
      lines.width = Math.round(width * ratio);
      lines.height = Math.round(height * ratio);
      lines.style.width = `${width}px`;
      lines.style.height = `${height}px`;
    }
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    const places = units.map((layer) => layer.map(middle));
    for (let layer = 1; layer < sizes.length; layer++) {
      for (let from = 0; from < sizes[layer - 1]; from++) {
        for (let to = 0; to < sizes[layer]; to++) {
          const value = parameters[weightAt(layer, from, to)];
          const strong = near ? near.layer === layer && near.from === from && near.to === to : selected.layer === layer && selected.unit === to;
          const [, x0, y0] = places[layer - 1][from];
          const [x1, , y1] = places[layer][to];
          const half = (x0 + x1) / 2;
          pen.globalAlpha = strong ? 1 : 0.45;
          pen.strokeStyle = colours.ofWeight(value);
          pen.lineWidth = Math.min(8, 0.4 + 2 * Math.abs(value));
          pen.beginPath();
          pen.moveTo(x0, y0);
          pen.bezierCurveTo(half, y0, half, y1, x1, y1);
          pen.stroke();
        }
      }
    }
  }

  // The line under the pointer. All lines between two layers are at the same part of their way at the same x.
  function lineAt(event) {
    const frame = lines.getBoundingClientRect();
    const [x, y] = [event.clientX - frame.left, event.clientY - frame.top];
    let best = null;
    for (let layer = 1; layer < sizes.length; layer++) {
      const [, x0] = middle(units[layer - 1][0]);
      const [x1] = middle(units[layer][0]);
      if (x < x0 || x > x1) continue;
      let [low, high] = [0, 1];
      for (let turn = 0; turn < 20; turn++) {
        const t = (low + high) / 2;
        if (1.5 * t * (1 - t) + t ** 3 < (x - x0) / (x1 - x0)) low = t;
        else high = t;
      }
      const share = 3 * low ** 2 - 2 * low ** 3;
      units[layer - 1].forEach((source, from) => {
        const [, , y0] = middle(source);
        units[layer].forEach((target, to) => {
          const [, , y1] = middle(target);
          const distance = Math.abs(y0 + (y1 - y0) * share - y);
          if (distance < 7 && (!best || distance < best.distance)) best = { layer, from, to, distance };
        });
      });
    }
    return best;
  }

  function hover(line) {
    if (line?.layer === near?.layer && line?.from === near?.from && line?.to === near?.to) return;
    near = line;
    on.line(near && `weight ${unitName(near.layer - 1, near.from)} → ${unitName(near.layer, near.to)}: ${parameters[weightAt(near.layer, near.from, near.to)].toFixed(3)}`);
    box.style.cursor = near ? "pointer" : "";
    drawLines();
  }

  box.addEventListener("pointermove", (event) => {
    const button = event.target.closest?.(".pg-unit");
    if (button && event.pointerType === "mouse") select(Number(button.dataset.layer), Number(button.dataset.unit));
    hover(button ? null : lineAt(event));
    if (button) drawLines();
  });
  box.addEventListener("pointerleave", () => hover(null));
  box.addEventListener("click", (event) => {
    const button = event.target.closest(".pg-unit");
    if (button) select(Number(button.dataset.layer), Number(button.dataset.unit));
    else if (!event.target.closest(".pg-head")) {
      const line = lineAt(event);
      if (line) {
        select(line.layer, line.to);
        on.edit(line.from);
      }
    }
    drawLines();
  });
  box.addEventListener("focusin", (event) => {
    const button = event.target.closest(".pg-unit");
    if (button) select(Number(button.dataset.layer), Number(button.dataset.unit));
    drawLines();
  });
  box.addEventListener("keydown", (event) => {
    const move = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!move || !event.target.closest(".pg-unit")) return;
    event.preventDefault();
    const layer = Math.min(sizes.length - 1, Math.max(0, selected.layer + move[0]));
    select(layer, Math.min(sizes[layer] - 1, Math.max(0, selected.unit + move[1])), true);
  });
  new ResizeObserver(drawLines).observe(columns);

  return {
    open,
    unitName,
    weightAt,
    biasAt,
    selected: () => selected,
    // `maps` [layer][unit] are pictures of 32 x 32, or nothing for the output.
    draw(newParameters, maps) {
      parameters = newParameters;
      units.forEach((layer, index) => layer.forEach((button, unit) => {
        button.firstChild.getContext("2d").putImageData(maps[index][unit], 0, 0);
      }));
      drawLines();
    },
  };
}
