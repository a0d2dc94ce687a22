import {ask, direction, hue, make, percent} from "./common.js";

const at = id => document.getElementById(id);
const question = () => at("tokens").checked
  ? {sentences: at("text").value.split("\n").map(line => line.split(" ").filter(Boolean)).filter(row => row.length), best: 3}
  : {text: at("text").value, best: 3};

function columns(sentence) {  // name to values and probabilities: of "tags", or of columns with names
  const known = new Set(["tokens", "probabilities", "n_best"]), found = [];
  for (const [name, values] of Object.entries(sentence)) {
    if (known.has(name)) continue;
    const best = sentence.n_best ?? {};
    found.push([name, values, Array.isArray(best) ? best : best[name]]);
  }
  return found;
}

function shown(sentence) {
  const list = make("ol", {class: "tokens", dir: direction(sentence.tokens)});
  sentence.tokens.forEach((word, i) => {
    const item = make("li", {class: "token"}, make("span", {class: "word"}, word));
    for (const [name, values, best] of columns(sentence)) {
      const p = best?.[i]?.[0]?.[1];
      const others = best?.[i]?.slice(1).map(([value, q]) => `${value} ${percent(q)}`).join(", ");
      item.append(make("span", {class: "value" + (p < 0.8 ? " doubtful" : ""), dir: "ltr", hue: hue(values[i] ?? ""),
                                title: `${name}${others ? ": or " + others : ""}`}, values[i] ?? "_"));
      if (p !== undefined) item.append(make("span", {class: "p", dir: "ltr"}, percent(p)));
    }
    list.append(item);
  });
  return list;
}

async function tag() {
  at("status").textContent = "…";
  at("status").className = "";
  try {
    const {sentences} = await ask("tag", question());
    at("answer").replaceChildren(...sentences.map(shown));
    at("status").textContent = `${sentences.length} sentence${sentences.length === 1 ? "" : "s"}`;
  } catch (error) {
    at("status").textContent = error.message;
    at("status").className = "error";
  }
  const data = JSON.stringify(question()).replaceAll("'", "'\\''");
  at("curl").textContent = `curl ${location.origin}/tag -H 'Content-Type: application/json' -d '${data}'`;
}

at("go").addEventListener("click", tag);
at("text").addEventListener("keydown", event => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); tag(); }
});
ask("info").then(info => {
  at("name").textContent = `rnntag: ${info.model}`;
  at("facts").textContent = `${info.kind}, ${info.words.toLocaleString("en")} words, ${info.tags.length} tags`;
  tag();
}, error => { at("status").textContent = error.message; at("status").className = "error"; });
