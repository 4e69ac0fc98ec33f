const at = id => document.getElementById(id);
const events = [...document.querySelectorAll(".event")];
function show() {
  const wanted = at("q").value.toLowerCase().split(/\s+/).filter(Boolean);
  const capability = at("capability").value, intent = at("intent").value;
  let left = 0;
  for (const each of events) {
    const { words, capability: own, intents } = each.dataset;
    const fits = wanted.every(word => words.includes(word)) && (!capability || own === capability)
      && (!intent || intents.split(" ").includes(intent));
    each.hidden = !fits;
    left += fits;
  }
  for (const each of document.querySelectorAll(".aggregate")) each.hidden = !each.querySelector(".event:not([hidden])");
  at("count").textContent = `${left} of ${events.length} events`;
  at("none").hidden = left > 0;
  const asked = new URLSearchParams();
  for (const id of ["q", "capability", "intent"]) if (at(id).value) asked.set(id, at(id).value);
  history.replaceState(null, "", asked.size ? `#?${asked}` : location.pathname + location.search);
}
if (location.hash.startsWith("#?")) {
  const asked = new URLSearchParams(location.hash.slice(2));
  for (const [id, value] of asked) if (at(id)) at(id).value = value;
  show();
}
for (const id of ["q", "capability", "intent"]) at(id).addEventListener("input", show);
