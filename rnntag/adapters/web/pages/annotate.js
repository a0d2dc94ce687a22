import {ask, direction, fragment, hue, make, percent} from "./common.js";

const at = id => document.getElementById(id);
let doc = null;       // the corpus as a whole: fields, lines, progress
let sentence = null;  // as the server has it
let values = [];      // for each column its values as they are shown, "" where there are none
let token = 0, column = 0, chosen = 0;
let steps = [];       // what was changed in this sentence: [column, token, old value]
let busy = false;

// ------------------------------------------------------------------ the sentence

const field = () => sentence.fields[column];
const best = (c, i) => sentence.fields[c].best?.[i] ?? [];
const proposed = (c, i) => !values[c][i] && best(c, i).length ? best(c, i)[0][0] : "";
const probability = (c, i, value) => best(c, i).find(([other]) => other === value)?.[1] ?? 0;

function doubtful(c, i) {
  if (!sentence.fields[c].best) return !values[c][i];
  return probability(c, i, values[c][i] || proposed(c, i)) < sentence.doubtful;
}

async function open(number, place = 0) {
  sentence = await ask("api/sentence", {number});
  values = sentence.fields.map(each => [...each.values]);
  steps = [];
  column = Math.min(column, values.length - 1);
  token = Math.min(place, sentence.words.length - 1);
  draw();
  window.scrollTo(0, 0);
  move(token);
}

function shown(c, i) {
  const name = sentence.fields[c].name, value = values[c][i], guess = proposed(c, i);
  const kinds = ["value", doubtful(c, i) && "doubtful", !value && (guess ? "proposed" : "none"),
                 value !== sentence.fields[c].values[i] && "changed", c === column && values.length > 1 && "column"];
  return make("span", {class: kinds.filter(Boolean).join(" "), dir: "ltr", hue: hue(value || guess),
                       title: name || "tag"}, value || guess || "–");
}

function draw() {
  const list = at("tokens");
  list.dir = direction(sentence.words);
  list.replaceChildren(...sentence.words.map((word, i) => make("li", {}, make("button", {
    class: "token", tabindex: i === token ? 0 : -1, "aria-current": i === token, onclick: () => move(i),
    "aria-label": label(i)}, make("bdi", {class: "word"}, word), ...values.map((_, c) => shown(c, i))))));
  at("place").textContent = `Sentence ${sentence.number + 1} of ${doc.sentences}, line ${sentence.line}`;
  at("done").hidden = !sentence.done;
  at("previous").disabled = sentence.number === 0;
  at("next").disabled = sentence.number === doc.sentences - 1;
}

function label(i) {
  const said = values.map((row, c) => (row[i] || proposed(c, i) || "no value") + (doubtful(c, i) ? ", doubtful" : ""));
  return `${sentence.words[i]}: ${said.join("; ")}`;
}

function move(i, focus = true) {
  const items = at("tokens").querySelectorAll(".token");
  token = Math.max(0, Math.min(i, items.length - 1));
  items.forEach((item, k) => { item.tabIndex = k === token ? 0 : -1; item.setAttribute("aria-current", k === token); });
  if (focus) items[token].focus({preventScroll: true});
  items[token].scrollIntoView({block: "nearest"});
  panel();
}

function jump(step) {  // to the next doubtful word
  const count = sentence.words.length;
  for (let k = 1; k <= count; k++) {
    const i = (token + step * k + count * k) % count;
    if (values.some((_, c) => doubtful(c, i))) {
      if (!doubtful(column, i)) column = values.findIndex((_, c) => doubtful(c, i));
      draw();
      move(i);
      return;
    }
  }
  say("Nothing is doubtful in this sentence.");
}

function put(value) {
  steps.push([column, token, values[column][token]]);
  values[column][token] = value;
  at("search").value = "";
  draw();
  move(token);
}

// ------------------------------------------------------------------ the panel

let wanted = 0;
async function panel() {
  at("word").textContent = sentence.words[token];
  const value = values[column][token], p = field().best ? probability(column, token, value || proposed(column, token)) : null;
  at("said").textContent = p === null ? "" : `tagger: ${percent(p)}` + (best(column, token)[0]?.[0] === value || !value ? "" :
    `, prefers ${best(column, token)[0][0]}`);
  at("columns").replaceChildren(...(values.length > 1 ? sentence.fields.map((each, c) => make("button", {
    "aria-pressed": c === column, tabindex: -1, onclick: () => { column = c; draw(); move(token); }},
    each.name || "tag")) : []));
  chosen = 0;
  choices();
  const asked = ++wanted, number = sentence.number;
  const {examples} = await ask("api/examples", {number, token}).catch(() => ({examples: []}));
  if (asked === wanted) draw_examples(examples);
}

function draw_examples(examples) {
  at("examples-title").hidden = !examples.length;
  at("examples").replaceChildren(...examples.map(each => make("li", {}, make("button", {
    dir: direction([...each.before, each.word, ...each.after]), tabindex: -1,
    onclick: () => leave(() => open(each.number, each.token))},
    make("bdi", {}, [...each.before, ""].join(" ")), make("b", {hue: hue(each.values[0] || "")}, each.word),
    make("bdi", {}, ["", ...each.after].join(" ")),
    make("small", {dir: "ltr"}, `${each.values.filter(Boolean).join(" · ") || "no tag"} — line ${each.line}${each.done ? " ✓" : ""}`)))));
}

function options() {  // what can be chosen: [value, probability or null, is it new?]
  const typed = at("search").value.trim(), low = typed.toLowerCase(), likely = best(column, token);
  if (!typed) {
    const own = values[column][token];
    const rest = likely.length ? [] : doc.fields[column].values.slice(0, 9).map(value => [value, null]);
    const all = [...likely, ...rest];
    return own && !all.some(([value]) => value === own) ? [...all, [own, field().best ? 0 : null]] : all;
  }
  const all = [...new Set([...likely.map(([value]) => value), ...doc.fields[column].values])];
  const found = [...all.filter(value => value.toLowerCase().startsWith(low)),
                 ...all.filter(value => value.toLowerCase().indexOf(low) > 0)].slice(0, 12);
  found.sort((a, b) => (b === typed) - (a === typed));
  const known = found.map(value => [value, field().best ? probability(column, token, value) : null]);
  return all.includes(typed) ? known : [...known, [typed, null, true]];
}

function choices() {
  const found = options();
  chosen = Math.max(0, Math.min(chosen, found.length - 1));
  at("choices").replaceChildren(...found.map(([value, p, fresh], k) => make("li", {role: "none"}, make("button", {
    class: "choice", role: "option", id: `choice${k}`, tabindex: -1, onclick: () => put(value),
    "aria-selected": at("search").value ? k === chosen : value === values[column][token]},
    make("kbd", {}, at("search").value ? (k === chosen ? "Enter" : " ") : `${k < 9 ? k + 1 : " "}`),
    make("span", {class: "value", dir: "ltr"}, fresh ? `new: ${value}` : value),
    ...(p === null ? [] : [make("span", {class: "share"}, make("div", {width: `${100 * p}%`})),
                           make("span", {class: "p"}, percent(p))])))));
  at("search").setAttribute("aria-activedescendant", at("search").value && found.length ? `choice${chosen}` : "");
}

// ------------------------------------------------------------------ saving

const say = (text, bad = false) => { at("status").textContent = text; at("status").className = bad ? "error" : "soft"; };

function facts() {
  const part = (name, value, less) => make("span", {class: less ? "less" : ""}, `${name} `, make("b", {}, value));
  const list = [part("done", `${doc.done} of ${doc.sentences}`), part("tokens", `${doc.done_tokens} of ${doc.tokens}`, true),
                part("changed", `${doc.changed}`)];
  if (doc.judged) list.push(part("tagger right on what is done",
    `${percent(doc.agreed / doc.judged)} (${percent(doc.interval[0])} to ${percent(doc.interval[1])})`));
  if (doc.expected !== null) list.push(part("expected right in the rest", percent(doc.expected)));
  if (doc.learner !== "idle") list.push(make("span", {}, `${doc.learner}…`));
  if (doc.problem) list.push(make("span", {class: "error"}, doc.problem));
  at("facts").replaceChildren(...list);
  at("meter").style.width = `${100 * doc.done / doc.sentences}%`;
  document.documentElement.style.scrollPaddingTop = `${document.querySelector("header").offsetHeight + 8}px`;
  at("undo").disabled = !doc.undo && !steps.length;
  at("retrain").hidden = !doc.learns;
  if (doc.changed_on_disk) problem("The file has been changed by another program. Nothing is saved until it is read again.");
}

function problem(text) {
  at("problem").textContent = text;
  at("banner").hidden = false;
}

async function guarded(action) {
  if (busy) return;
  busy = true;
  try {
    await action();
  } catch (error) {
    if (error.kind === "changed") problem(error.message);
    else if (error.kind === "gone") problem(error.message);
    else say(error.message, true);
  } finally {
    busy = false;
    if (doc) facts();
  }
}

const accept = () => guarded(async () => {
  const filled = Object.fromEntries(sentence.fields.map((each, c) => [each.name,
    values[c].map((value, i) => value || proposed(c, i))]));
  const answer = await ask("api/accept", {number: sentence.number, version: sentence.version, values: filled});
  Object.assign(doc, answer.status);
  const {number} = await ask("api/next", {number: sentence.number, order: at("order").value});
  const saved = `Saved: ${answer.changed} value${answer.changed === 1 ? "" : "s"} changed.`;
  if (number === null) {
    await open(sentence.number, token);
    say(`${saved} All sentences are done.`);
  } else {
    await open(number);
    say(saved);
  }
});

const undo = () => guarded(async () => {
  if (steps.length) {
    const [c, i, old] = steps.pop();
    values[c][i] = old;
    column = c;
    draw();
    move(i);
    return;
  }
  const {number, status} = await ask("api/undo", {});
  Object.assign(doc, status);
  if (number !== null) {
    await open(number);
    say("Taken back.");
  }
});

function leave(action) {  // a sentence with unsaved values is not left by accident
  const unsaved = values.some((row, c) => row.some((value, i) => value !== sentence.fields[c].values[i]));
  if (!unsaved || confirm("This sentence has changes that are not saved. Leave it?")) guarded(action);
}

async function watch() {  // new answers, changes of the file
  try {
    const before = doc.generation;
    Object.assign(doc, await ask("api/status"));
    facts();
    if (doc.generation !== before && !busy) {
      const fresh = await ask("api/sentence", {number: sentence.number});
      if (fresh.number === sentence.number && fresh.version === sentence.version) {
        sentence = fresh;
        draw();
        move(token, document.activeElement === document.body || at("tokens").contains(document.activeElement));
        say("New answers of the tagger.");
      }
    }
  } catch (error) {
    if (error.kind === "gone") problem(error.message);
  }
  setTimeout(watch, 2000);
}

// ------------------------------------------------------------------ keys

function typed(event) {  // in the search field
  const found = options();
  if (event.key === "Escape") { at("search").value = ""; move(token); }
  else if (event.key === "ArrowDown") { chosen = Math.min(chosen + 1, found.length - 1); choices(); }
  else if (event.key === "ArrowUp") { chosen = Math.max(chosen - 1, 0); choices(); }
  else if (event.key === "Enter" && at("search").value.trim() && found.length) put(found[chosen][0]);
  else if (event.key === "Enter") accept();
  else return;
  event.preventDefault();
}

function pressed(event) {
  if (!sentence || at("keys").open) return;
  const target = event.target, inside = at("tokens").contains(target) || target === document.body;
  if (event.key === "F1") { at("keys").showModal(); event.preventDefault(); return; }
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") { undo(); event.preventDefault(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (target === at("search")) { typed(event); return; }
  if (event.key === "PageDown" || event.key === "PageUp") {
    const number = sentence.number + (event.key === "PageDown" ? 1 : -1);
    if (number >= 0 && number < doc.sentences) leave(() => open(number));
    event.preventDefault();
    return;
  }
  if (!inside) return;
  const forward = at("tokens").dir === "rtl" ? "ArrowLeft" : "ArrowRight", many = values.length;
  if (event.key === "ArrowLeft" || event.key === "ArrowRight") move(token + (event.key === forward ? 1 : -1));
  else if (event.key === "Home") move(0);
  else if (event.key === "End") move(sentence.words.length - 1);
  else if (event.key === " ") jump(event.shiftKey ? -1 : 1);
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (many < 2) return;
    column = (column + (event.key === "ArrowDown" ? 1 : many - 1)) % many;
    draw();
    move(token);
  } else if (event.key === "Enter") accept();
  else if (/^[1-9]$/.test(event.key)) { const pick = options()[event.key - 1]; if (pick) put(pick[0]); }
  else if (event.key.length === 1 || /^\p{L}/u.test(event.key) && [...event.key].length === 1) {
    at("search").value = event.key;
    at("search").focus();
    chosen = 0;
    choices();
  } else return;
  event.preventDefault();
}

document.addEventListener("keydown", pressed);
at("search").addEventListener("input", () => { chosen = 0; choices(); });
at("accept").addEventListener("click", accept);
at("undo").addEventListener("click", undo);
at("previous").addEventListener("click", () => leave(() => open(sentence.number - 1)));
at("next").addEventListener("click", () => leave(() => open(sentence.number + 1)));
at("help").addEventListener("click", () => at("keys").showModal());
at("close").addEventListener("click", () => at("keys").close());
at("retrain").addEventListener("click", () => guarded(async () => { Object.assign(doc, await ask("api/retrain", {})); }));
at("reload").addEventListener("click", () => guarded(async () => {
  await ask("api/reload", {});
  at("banner").hidden = true;
  await begin(sentence?.number);
}));
window.addEventListener("beforeunload", event => { if (steps.length) event.preventDefault(); });

async function begin(number) {
  doc = await ask("api/document");
  at("name").textContent = doc.name;
  document.title = `${doc.name} – rnntag`;
  facts();
  const line = Number(fragment.get("line"));
  const named = line ? doc.lines.findLastIndex(first => first <= line) : -1;
  if (number === undefined && named < 0) number = (await ask("api/next", {number: -1, order: at("order").value})).number ?? 0;
  await open(Math.min(number ?? named, doc.sentences - 1));
}

begin().then(() => setTimeout(watch, 2000), error => say(error.message, true));
