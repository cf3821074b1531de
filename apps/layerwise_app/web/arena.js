// An agent, or a visitor, plays in the canvas: what the web socket sends is drawn, and what is pressed is sent.
const part = (name) => element.querySelector(`[data-part="${name}"]`);
const root = element.querySelector(".lw-arena");
const canvas = part("canvas");
const pressed = [];
let socket = null;
let about = null;
let wanted = {};
let network = "";

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  say("Loading the agent. This is done once, and takes a few seconds …");
  socket = new WebSocket(`${scheme}://${location.host}/api/v1/play/${root.dataset.model}${network}`);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => send(wanted);
  socket.onmessage = (event) => receive(event.data);
  socket.onclose = () => {
    socket = null;
    root.classList.remove("lw-playing");
    part("start").hidden = false;
    if (!part("said").dataset.failed) say("Not connected. Press the button to watch.");
  };
}

function send(message) {
  wanted = { ...wanted, ...message };
  delete wanted.again;
  delete wanted.action;
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function say(text, failed = false) {
  part("said").textContent = text;
  part("said").classList.toggle("lw-note", failed);
  if (failed) part("said").dataset.failed = "1";
  else delete part("said").dataset.failed;
}

async function receive(data) {
  const length = new DataView(data).getUint32(0, true);
  const said = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  if (said.error) return say(said.error, true);
  if (said.about) return introduce(said.about);
  if (data.byteLength > 4 + length) {
    const picture = await createImageBitmap(new Blob([new Uint8Array(data, 4 + length)]));
    if (canvas.width !== picture.width || canvas.height !== picture.height) {
      canvas.width = picture.width;
      canvas.height = picture.height;
      // Small worlds are enlarged without blur.
      canvas.style.imageRendering = picture.width < 300 ? "pixelated" : "auto";
    }
    canvas.getContext("2d").drawImage(picture, 0, 0);
    root.dataset.frames = Number(root.dataset.frames ?? 0) + 1;
  }
  const count = said.length.toLocaleString("en");
  const total = Number(said.total.toPrecision(5)).toLocaleString("en");
  say(`${said.ended ? "Ended with" : "Return"} ${total} after ${count} ${said.length === 1 ? "step" : "steps"}`);
  if ("value" in said) part("value").textContent = said.value.toPrecision(3);
  showActions(said);
}

function introduce(found) {
  about = found;
  part("start").hidden = true;
  root.classList.add("lw-playing");
  part("bars").replaceChildren(...about.actions.map(barOf));
  part("own").hidden = !about.keys.length;
  part("milestone").hidden = !about.milestones.length;
  const last = about.milestones.length - 1;
  if (last > 0) {
    part("slider").max = last;
    if (wanted.training === undefined) part("slider").value = last;
    drawCurve();
  }
}

function barOf(name, number) {
  const row = document.createElement("button");
  row.type = "button";
  row.className = "lw-action";
  row.innerHTML = '<span></span><i><b></b></i><output></output>';
  row.querySelector("span").textContent = name;
  row.disabled = !wanted.own;
  row.addEventListener("pointerdown", () => press(number));
  for (const end of ["pointerup", "pointerleave", "pointercancel"]) row.addEventListener(end, () => release(number));
  return row;
}

function showActions(said) {
  [...part("bars").children].forEach((row, number) => {
    const share = said.probabilities?.[number] ?? 0;
    row.querySelector("b").style.width = `${100 * share}%`;
    row.querySelector("output").textContent = said.probabilities ? `${Math.round(100 * share)} %` : "";
    row.classList.toggle("lw-done", said.action === number);
  });
}

// The measured return at each milestone, the chosen one as a dot, and what is known of others as dashed lines.
function drawCurve() {
  const values = about.milestones.map((item) => item.measured_return);
  const known = Object.entries(about.known);
  const all = [...values, ...known.map(([, value]) => value)];
  const low = Math.min(...all);
  const high = Math.max(...all, low + 1e-9);
  const x = (place) => 6 + (288 * place) / Math.max(values.length - 1, 1);
  const y = (value) => 84 - (74 * (value - low)) / (high - low);
  const chosen = Number(part("slider").value);
  const points = values.map((value, place) => `${x(place).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  const lines = known.map(([name, value]) => `<line x1="0" x2="300" y1="${y(value)}" y2="${y(value)}"/>`);
  part("curve").innerHTML =
    `<svg viewBox="0 0 300 90" aria-hidden="true">${lines.join("")}<polyline points="${points}"/>` +
    `<circle cx="${x(chosen)}" cy="${y(values[chosen])}" r="5"/></svg>`;
  const epoch = about.milestones[chosen].epoch;
  const others = known.map(([name, value]) => `${name}: ${value}`).join(", ");
  part("strength").textContent =
    `${epoch ? `After epoch ${epoch}` : "Before its training"} its mean return was ` +
    `${Number(values[chosen].toPrecision(4)).toLocaleString("en")}${others ? ` (dashed: ${others})` : ""}.`;
}

function press(action) {
  if (!pressed.includes(action)) pressed.unshift(action);
  send({ action: pressed[0] });
}

function release(action) {
  const place = pressed.indexOf(action);
  if (place < 0) return;
  pressed.splice(place, 1);
  send({ action: pressed[0] ?? null });
}

for (const [type, change] of [["keydown", press], ["keyup", release]]) {
  canvas.addEventListener(type, (event) => {
    const action = about?.keys.indexOf(event.key) ?? -1;
    if (action < 0 || !wanted.own) return;
    event.preventDefault();
    if (!event.repeat) change(action);
  });
}
canvas.addEventListener("blur", () => [...pressed].forEach(release));

part("start").addEventListener("click", connect);
// Another network or version was chosen on the page: it goes on in the place of the former one.
root.addEventListener("lw-network", (event) => {
  network = `?${new URLSearchParams(event.detail)}`;
  delete wanted.training;
  part("start").disabled = false;
  if (!socket) return;
  socket.onclose = null;
  socket.close();
  connect();
});
part("again").addEventListener("click", () => {
  const episode = Math.floor(Math.random() * 10000);
  send({ episode, again: true });
  if (wanted.own) canvas.focus();
});
part("pause").addEventListener("click", (event) => {
  const paused = !wanted.paused;
  event.target.textContent = paused ? "Go on" : "Pause";
  send({ paused });
});
part("own").addEventListener("click", (event) => {
  const own = !wanted.own;
  event.target.textContent = own ? "Let the agent play" : "Play it yourself";
  for (const row of part("bars").children) row.disabled = !own;
  const keys = about.keys.map((key, number) => (key ? `${key.replace("Arrow", "arrow ").replace(/^ $/, "space")}: ${about.actions[number]}` : "")).filter(Boolean);
  part("keys").textContent = own ? `Keys: ${keys.join(", ")}. Or hold the buttons.` : "";
  send({ own });
  if (own) canvas.focus();
});
part("slider").addEventListener("input", drawCurve);
part("slider").addEventListener("change", (event) => {
  const milestones = about.milestones;
  const last = milestones[milestones.length - 1].epoch;
  send({ training: (100 * milestones[Number(event.target.value)].epoch) / last });
});
// Nobody looks: nothing is played, and a visitor who comes back finds it where it was.
document.addEventListener("visibilitychange", () => {
  if (socket && !wanted.paused) socket.send(JSON.stringify({ paused: document.hidden }));
});
new IntersectionObserver(([seen]) => {
  if (socket?.readyState === WebSocket.OPEN && !wanted.paused) socket.send(JSON.stringify({ paused: !seen.isIntersecting }));
}).observe(canvas);
