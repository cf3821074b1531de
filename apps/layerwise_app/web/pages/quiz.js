// Asks one question after the other. The server draws them and sums up; the best results are kept in this browser.
const KEY = "layerwise.quiz";
const part = (name) => element.querySelector(`[data-part="${name}"]`);
const boxes = () => [...element.querySelectorAll("[name=lesson]")];
let questions = [];
let answers = []; // [lesson, is right] of each question that was answered
let missed = [];

function best() {
  try {
    return JSON.parse(localStorage.getItem(KEY))?.best ?? {};
  } catch {
    return {};
  }
}

function remember(lessons) {
  const kept = best();
  for (const [lesson, [right, total]] of Object.entries(lessons)) {
    const [formerRight, formerTotal] = kept[lesson] ?? [0, 1];
    const share = right / total - formerRight / formerTotal;
    if (!kept[lesson] || share > 0 || (share === 0 && total > formerTotal)) kept[lesson] = [right, total];
  }
  try {
    localStorage.setItem(KEY, JSON.stringify({ best: kept }));
  } catch {
    // A browser that keeps nothing shows no best results.
  }
}

function showBest() {
  const kept = best();
  for (const place of element.querySelectorAll("[data-best]")) {
    const found = kept[place.dataset.best];
    place.textContent = found ? `best ${found[0]} of ${found[1]}` : "";
  }
}

function only(name) {
  for (const other of ["start", "asked", "end"]) part(other).hidden = other !== name;
}

async function ask(name, argument) {
  const answer = (await server[name](argument)) ?? { error: "The server did not answer. Is it still running?" };
  part("note").hidden = !answer.error;
  part("note").textContent = answer.error ?? "";
  return answer.error ? null : answer;
}

async function begin(wanted) {
  const answer = await ask("begin", { count: Number(part("count").value), ...wanted });
  if (!answer) return;
  ({ questions } = answer);
  answers = [];
  missed = [];
  pose();
}

function pose() {
  const question = questions[answers.length];
  only("asked");
  part("place").textContent = `Question ${answers.length + 1} of ${questions.length} · ${question.title}`;
  part("bar").max = questions.length;
  part("bar").value = answers.length;
  part("text").innerHTML = question.text;
  part("plots").innerHTML = question.plots;
  part("choices").replaceChildren(...question.choices.map(choiceOf));
  part("explained").hidden = part("next").hidden = true;
  part("asked").focus({ preventScroll: true });
  part("asked").scrollIntoView({ block: "nearest" });
}

function choiceOf(choice, index) {
  const item = document.createElement("li");
  const button = document.createElement("button");
  button.type = "button";
  button.dataset.choice = index;
  button.innerHTML = `<kbd>${index + 1}</kbd><span>${choice}</span><i></i>`;
  item.append(button);
  return item;
}

function choose(index) {
  const question = questions[answers.length];
  const buttons = [...part("choices").querySelectorAll("button")];
  if (!question || !part("next").hidden || !buttons[index]) return;
  const isRight = index === question.answer;
  answers.push([question.lesson, isRight]);
  if (!isRight) missed.push(question.name);
  buttons.forEach((button, position) => {
    button.disabled = true;
    if (position === question.answer) mark(button, "right", "right answer");
    else if (position === index) mark(button, "wrong", "your answer");
  });
  part("verdict").textContent = isRight ? "Right." : "Not right.";
  part("explanation").innerHTML = question.explanation;
  part("link").hidden = !question.lesson;
  part("link").href = `./learn?lesson=${question.lesson}`;
  part("bar").value = answers.length;
  part("explained").hidden = part("next").hidden = false;
  part("next").focus({ preventScroll: true });
  part("next").scrollIntoView({ block: "nearest" });
}

function mark(button, state, text) {
  button.dataset.state = state;
  button.querySelector("i").textContent = text;
}

async function end() {
  const answer = await ask("finish", answers);
  if (!answer) return;
  remember(answer.lessons);
  showBest();
  part("result").innerHTML = answer.html;
  part("again").hidden = !missed.length;
  only("end");
  part("end").focus({ preventScroll: true });
}

const actions = {
  next: () => (answers.length < questions.length ? pose() : end()),
  again: () => begin({ names: missed, count: missed.length }),
  restart: () => only("start"),
  all: () => boxes().forEach((box) => (box.checked = !box.disabled)),
  none: () => boxes().forEach((box) => (box.checked = false)),
};

element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button?.dataset.choice) choose(Number(button.dataset.choice));
  else if (button) actions[button.dataset.part ?? button.dataset.action]?.();
});
part("start").addEventListener("submit", (event) => {
  event.preventDefault();
  begin({ lessons: boxes().filter((box) => box.checked).map((box) => box.value) });
});
document.addEventListener("keydown", (event) => {
  if (!element.isConnected || part("asked").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
  if (/^[1-9]$/.test(event.key)) choose(Number(event.key) - 1);
  else if (event.key === "Enter" && !part("next").hidden && !event.target.closest("button, a")) actions.next();
});

const wanted = new URLSearchParams(window.location.search).get("lesson");
if (boxes().some((box) => box.value === wanted)) boxes().forEach((box) => (box.checked = box.value === wanted));
showBest();
ask("look_at_runs", {}).then((answer) => {
  if (!answer) return;
  part("own").innerHTML = answer.said;
  const box = boxes().find((other) => other.value === "own");
  box.disabled = !answer.count;
  box.checked = wanted === "own" && !box.disabled;
});
