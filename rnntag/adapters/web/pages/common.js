// What both pages share: asking the server, and small helpers to build the page.

const fragment = new URLSearchParams(location.hash.slice(1));
if (fragment.has("token")) {  // kept by this tab, and taken out of what is shown
  sessionStorage.setItem("token", fragment.get("token"));
  fragment.delete("token");
  history.replaceState(null, "", location.pathname + (fragment.size ? "#" + fragment : ""));
}

export { fragment };

// The answer of the server to a question (GET) or, with a body, a command (POST). Throws an Error with "status" and "kind".
export async function ask(path, body) {
  const headers = {}, token = sessionStorage.getItem("token");
  if (token) headers.Authorization = "Bearer " + token;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let answer;
  try {
    answer = await fetch(path, {method: body === undefined ? "GET" : "POST", headers,
                                body: body === undefined ? undefined : JSON.stringify(body)});
  } catch {
    throw Object.assign(new Error("The server does not answer. Has it ended?"), {kind: "gone"});
  }
  const value = await answer.json().catch(() => ({error: `status ${answer.status}`}));
  if (!answer.ok) throw Object.assign(new Error(value.error), {status: answer.status, kind: value.kind});
  return value;
}

// An element with attributes, and children (strings are text).
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key === "hue") element.style.setProperty("--hue", value);
    else if (key === "width") element.style.width = value;
    else if (key.startsWith("aria-")) element.setAttribute(key, String(value));
    else if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

// A colour for a value: alike for values that begin alike, such as NN and NNS.
export function hue(value) {
  let sum = 7;
  for (const character of value.slice(0, 2).toUpperCase()) sum = (sum * 137 + character.codePointAt(0) * 47) % 360;
  return sum;
}

// Is the text written from right to left?
export function direction(words) {
  const right = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;
  let balance = 0;
  for (const word of words) balance += right.test(word) ? 1 : /\p{L}/u.test(word) ? -1 : 0;
  return balance > 0 ? "rtl" : "ltr";
}

export const percent = p => p > 0 && p < 0.001 ? "<0.1 %" : `${(100 * p).toFixed(p > 0.999 ? 0 : 1)} %`;
