// A game against the agent. All that is known is the list of moves; the server says what the board is like after them.
const part = (name) => element.querySelector(`[data-part="${name}"]`);
const root = element.querySelector(".lw-game");
const players = root.dataset.players.split("|");
let moves = [];
let position = null;
let former = null; // What was shown before: stones that have turned since then are seen to turn.
let resigned = "";
let turn = 0; // Counts what was asked, so that late answers to former questions are not shown.

async function ask(name, argument) {
  try {
    return (await server[name](argument)) ?? { error: "The server did not answer. Is it still running?" };
  } catch {
    return { error: "The server did not answer. Is it still running?" };
  }
}

function inputs(simulations, line = moves) {
  const found = { moves: line, simulations, training: Number(part("training").value) };
  const komi = part("komi")?.value;
  if (komi) found.komi = Number(komi);
  return { variant: part("variant").value, inputs: found };
}

function complain(text = "") {
  part("note").hidden = !text;
  part("note").textContent = text;
}

const side = () => Number(part("side").value);
const isOver = () => Boolean(position?.result || resigned);
const isMine = () => position && !isOver() && (side() === 3 || side() === position.to_play);

async function look(simulations, line = moves) {
  const mine = ++turn;
  root.classList.toggle("lw-thinking", simulations > 0);
  const answer = await ask("think", inputs(simulations, line));
  if (mine !== turn) return null;
  root.classList.remove("lw-thinking");
  if (answer.error || answer.missing) {
    if (answer.missing) part("said").innerHTML = answer.missing;
    else complain(answer.error);
    if (answer.error && !position) part("said").textContent = "The agent cannot be shown.";
    return null;
  }
  complain();
  return answer;
}

function show(answer) {
  former = position;
  position = answer.board;
  if (answer.html) part("thoughts").innerHTML = answer.html;
  part("said").textContent = resigned || answer.said;
  part("moves").textContent = moves.length ? `Moves: ${moves.join(" ")}` : "";
  draw();
}

function named(text, kind) {
  const name = document.createElement("small");
  name.className = kind;
  name.textContent = text;
  name.ariaHidden = "true";
  return name;
}

function draw() {
  const board = part("board");
  const columns = position.stones[0].length;
  board.style.setProperty("--columns", columns);
  const owners = part("show-owners").checked || position.result;
  const worth = part("show-worth").checked && position.worth;
  const focused = board.contains(document.activeElement) ? document.activeElement.dataset.point : null;
  board.replaceChildren(
    ...position.stones.flatMap((row, y) =>
      row.map((stone, x) => {
        const point = position.points[y][x];
        const cell = document.createElement("button");
        cell.type = "button";
        cell.dataset.point = point;
        cell.tabIndex = -1;
        cell.className = `lw-place${stone ? ` lw-stone-${stone}` : ""}${point === position.last ? " lw-last" : ""}`;
        for (const [edge, is] of [["top", !y], ["bottom", y === position.stones.length - 1], ["left", !x], ["right", x === columns - 1]])
          if (is) cell.classList.add(`lw-edge-${edge}`);
        const [, letter, number] = point.match(/^([A-Z]+)(\d+)$/) ?? [];
        if (letter && y === position.stones.length - 1) cell.append(named(letter, "lw-letter"));
        if (number && !x) cell.append(named(number, "lw-number"));
        cell.setAttribute("aria-label", `${point}${stone ? `, ${players[stone - 1]}` : ""}`);
        if (stone && former?.stones[y]?.[x] === 3 - stone) cell.classList.add("lw-turned");
        if (position.legal.includes(point)) cell.classList.add("lw-legal");
        if (owners && position.owners) {
          const share = position.owners[y][x];
          const mark = document.createElement("i");
          mark.className = share > 0.5 ? "lw-owner-1" : "lw-owner-2";
          mark.style.opacity = Math.abs(2 * share - 1);
          cell.append(mark);
        }
        if (worth && worth[y][x] >= 0.01) {
          const mark = document.createElement("b");
          mark.textContent = Math.round(100 * worth[y][x]);
          mark.style.setProperty("--share", worth[y][x]);
          cell.append(mark);
        }
        return cell;
      })
    )
  );
  const first = board.querySelector(`[data-point="${focused}"]`) ?? board.children[Math.floor(board.children.length / 2)];
  first.tabIndex = 0;
  if (focused) first.focus();
  former = position;
  root.classList.toggle("lw-mine", Boolean(isMine()));
  // In some games only who can do nothing else passes.
  part("pass").hidden = position.legal.length > 0 && !position.legal.includes("pass");
}

async function play(move) {
  if (!isMine()) return;
  const answer = await look(0, [...moves, move]);
  if (!answer) return;
  moves.push(move);
  show(answer);
  await reply();
}

// The agent moves as long as it is its turn.
async function reply() {
  while (position && !isOver() && !isMine()) {
    part("said").textContent = `${players[position.to_play - 1]} thinks …`;
    const answer = await look(Number(part("strength").value));
    if (!answer) return;
    if (answer.move === "resign") resigned = answer.said;
    else moves.push(answer.move);
    show(answer);
    if (side() === 0) await new Promise((done) => setTimeout(done, 300));
  }
}

async function begin(line = []) {
  moves = line;
  resigned = "";
  const answer = await look(0);
  if (!answer) return;
  part("thoughts").innerHTML = "";
  show(answer);
  await reply();
}

part("board").addEventListener("click", (event) => {
  const point = event.target.closest("button")?.dataset.point;
  if (point) play(point);
});
part("board").addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -position?.stones[0].length, ArrowDown: position?.stones[0].length };
  if (!(event.key in steps)) return;
  event.preventDefault();
  const cells = [...part("board").children];
  const next = cells[cells.indexOf(document.activeElement) + steps[event.key]];
  if (!next) return;
  document.activeElement.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
});
part("pass").addEventListener("click", () => play("pass"));
part("new").addEventListener("click", () => begin());
part("undo").addEventListener("click", () => {
  // Back to where it was one's turn.
  const count = side() === 3 || side() === 0 || (moves.length + 1) % 2 !== side() % 2 ? 1 : 2;
  if (side() === 0) part("side").value = "3";
  begin(moves.slice(0, Math.max(0, moves.length - count)));
});
part("resign").addEventListener("click", () => {
  if (!position || isOver()) return;
  ++turn;
  const loser = side() === 2 ? 1 : side() === 1 ? 0 : position.to_play - 1;
  resigned = `${players[loser]} resigns. ${players[1 - loser]} wins.`;
  part("said").textContent = resigned;
  draw();
});
part("hint").addEventListener("click", async () => {
  if (!isMine()) return;
  part("said").textContent = "It thinks …";
  const before = position;
  const answer = await look(Number(part("strength").value));
  if (!answer) return;
  part("show-worth").checked = true;
  position = { ...before, worth: answer.board.worth };
  part("thoughts").innerHTML = answer.html;
  part("said").textContent = answer.said.replace(" plays ", " would play ");
  draw();
});
for (const name of ["show-owners", "show-worth"]) part(name).addEventListener("change", () => position && draw());
for (const name of ["variant", "komi"]) part(name)?.addEventListener("change", () => begin());
for (const name of ["side", "training"]) part(name).addEventListener("change", () => position && (draw(), reply()));
part("save").addEventListener("click", async () => {
  const komi = part("komi")?.value;
  const answer = await ask("write_down", {
    variant: part("variant").value,
    moves,
    komi: komi ? Number(komi) : null,
    result: resigned || position?.result,
  });
  if (answer.error) return complain(answer.error);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([answer.text], { type: "text/plain" }));
  link.download = answer.name;
  link.click();
  URL.revokeObjectURL(link.href);
});
part("open").addEventListener("change", async (event) => {
  const file = event.target.files[0];
  event.target.value = "";
  if (!file) return;
  const answer = await ask("read_file", { variant: part("variant").value, text: await file.slice(0, 300000).text() });
  if (answer.error) return complain(answer.error);
  if (answer.komi !== undefined && part("komi")) part("komi").value = answer.komi;
  part("side").value = "3";
  begin(answer.moves);
});

// Asked when somebody looks, since the agent is loaded for it.
new IntersectionObserver(([seen], observer) => {
  if (!seen.isIntersecting) return;
  observer.disconnect();
  begin();
}).observe(root);
