"use strict";
// The table, the graph and the summary, from /api/v1/peers and /api/v1/history. All text from peers
// goes in as text, never as markup.
const columns = [
  { name: "State", of: p => order(p), show: stateCell },
  { name: "Peer", of: p => label(p).toLowerCase(), show: peerCell },
  { name: "Handshake", of: p => p.handshakeAge ?? Infinity, show: p => number("handshake", p.handshakeAge === null ? "never" : span(p.handshakeAge)) },
  { name: "Received", of: p => p.transferRx, show: p => number("received", bytes(p.transferRx)) },
  { name: "Sent", of: p => p.transferTx, show: p => number("sent", bytes(p.transferTx)) },
  { name: "Traffic", of: p => rate(p), show: sparkCell },
  { name: "Why", of: p => p.reason, show: whyCell },
];
const mostRows = 500, mostInGraph = 60;
const levels = { critical: 0, unknown: 1, warning: 2, ok: 3 };
let peers = [], nodes = null, time = 0, history = {}, sorted = 0, descending = false;
const $ = id => document.getElementById(id);

function element(name, attributes = {}, ...children) {
  const one = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  one.append(...children);
  return one;
}
function drawn(name, attributes, ...children) {
  const one = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  one.append(...children);
  return one;
}
// Of a fleet a peer has the node that told of it, and the node that it is, if that has told, too.
const label = p => p.peerNode ?? p.name ?? p.publicKey;
const device = p => (p.node ? `${p.node} ` : "") + (p.netns ? `${p.netns}/${p.interface}` : p.interface);
const kind = p => p.level === "ok" ? (p.state === "up" ? "ok" : "quiet") : p.level === "critical" ? "critical" : "warning";
const order = p => `${levels[p.level]}${p.state === "up" ? 1 : 0}${p.state}${label(p).toLowerCase()}`;

function span(seconds) {
  if (seconds < 600) return `${seconds} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}
function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; count >= 1024 && unit + 1 < units.length; ++unit) count /= 1024;
  return `${unit === 0 ? count : count.toFixed(1)} ${units[unit]}`;
}
function number(what, text) {
  return element("td", { class: "number", "data-label": what }, text);
}
function stateCell(p) {
  const cell = element("td", {}, element("span", { class: "state" }, p.state));
  if (p.flapping) cell.append(element("small", {}, "flapping"));
  return cell;
}
function peerCell(p) {
  const cell = element("th", { scope: "row" }, p.node ? `${p.node} → ${label(p)}` : label(p));
  if (label(p) !== p.publicKey) cell.append(element("small", {}, p.publicKey));
  cell.append(element("small", {}, [device(p), p.endpoint, p.allowedIps].filter(Boolean).join(" · ")));
  return cell;
}
function whyCell(p) {
  return element("td", { class: "why" }, p.reason, element("small", {}, `for ${span(Math.max(0, time - p.since))}`));
}
// Bytes a second between the looks that are known, [seconds, received, sent].
function rates(p) {
  const looks = history[`${device(p)} ${p.publicKey}`] ?? [];
  return looks.slice(1).map((look, i) => {
    const passed = Math.max(1, look[0] - looks[i][0]);
    return [look[0], Math.max(0, look[1] - looks[i][1]) / passed, Math.max(0, look[2] - looks[i][2]) / passed];
  });
}
function rate(p) {
  const all = rates(p), last = all[all.length - 1];
  return last ? last[1] + last[2] : -1;
}
function sparkCell(p) {
  const all = rates(p), cell = element("td", {});
  if (all.length < 2) return cell;
  const most = Math.max(1, ...all.map(r => Math.max(r[1], r[2])));
  const start = all[0][0], length = Math.max(1, all[all.length - 1][0] - start);
  const path = which => all.map((r, i) => `${i ? "L" : "M"}${((r[0] - start) / length * 100).toFixed(1)} ${(27 - r[which] / most * 25).toFixed(1)}`).join("");
  const last = all[all.length - 1];
  const text = `received ${bytes(Math.round(last[1]))}/s, sent ${bytes(Math.round(last[2]))}/s, at most ${bytes(Math.round(most))}/s`;
  cell.append(drawn("svg", { class: "spark", viewBox: "0 0 100 28", preserveAspectRatio: "none", role: "img", "aria-label": text },
    drawn("title", {}, text), drawn("path", { class: "sent", d: path(2) }), drawn("path", { d: path(1) })));
  return cell;
}

function wanted() {
  const words = $("search").value.toLowerCase().split(/\s+/).filter(Boolean);
  return peers.filter(p => {
    if ($("trouble").checked && p.level === "ok") return false;
    const text = [p.node, p.peerNode, p.name, p.publicKey, device(p), p.endpoint, p.allowedIps, p.state, p.reason].join(" ").toLowerCase();
    return words.every(word => text.includes(word));
  });
}
function draw() {
  const value = columns[sorted].of, rows = wanted();
  rows.sort((a, b) => (value(a) < value(b) ? -1 : value(a) > value(b) ? 1 : 0) * (descending ? -1 : 1));
  $("heads").replaceChildren(...columns.map((column, i) => {
    const button = element("button", { type: "button" }, column.name);
    button.addEventListener("click", () => { descending = sorted === i && !descending; sorted = i; draw(); $("heads").children[i].firstChild.focus(); });
    const head = element("th", { scope: "col" }, button);
    if (sorted === i) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    return head;
  }));
  $("rows").replaceChildren(...rows.slice(0, mostRows).map(p => element("tr", { class: kind(p) }, ...columns.map(column => column.show(p)))));
  $("count").textContent = rows.length === peers.length ? `${peers.length} peers` : `${rows.length} of ${peers.length} peers`;
  $("more").hidden = rows.length <= mostRows;
  $("more").textContent = `The first ${mostRows} of ${rows.length} are shown; search for the others.`;
  $("topology").hidden = rows.length === 0;
  if (rows.length !== 0) (nodes ? drawFleet : drawGraph)(rows);
}
function named(x, y, cos, sin, name) {
  return drawn("text", { x: x + 14 * cos, y: y + 14 * sin + 4, "text-anchor": cos > 0.2 ? "start" : cos < -0.2 ? "end" : "middle",
    dy: Math.abs(cos) <= 0.2 ? (sin > 0 ? 10 : -6) : 0 }, name.length > 28 ? name.slice(0, 26) + "…" : name);
}
const short = name => name.length > 18 ? name.slice(0, 16) + "…" : name;
// Every host and peer once, those with the most tunnels in the middle; a tunnel has the worse state of its two ends.
function drawFleet(rows) {
  const severity = { critical: 0, warning: 1, ok: 2, quiet: 3 }, tunnels = new Map(), degree = new Map();
  for (const p of rows) {
    const ends = [p.node, label(p)], id = JSON.stringify([...ends].sort()), before = tunnels.get(id);
    if (!before) for (const end of ends) degree.set(end, (degree.get(end) ?? 0) + 1);
    if (!before || severity[kind(p)] < severity[before.kind])
      tunnels.set(id, { ends, kind: kind(p), text: `${p.node} → ${label(p)}: ${p.state}` });
  }
  const told = new Map(nodes.map(node => [node.name, node]));
  const names = [...degree.keys()].sort((a, b) => degree.get(b) - degree.get(a) || (a < b ? -1 : 1));
  const shown = names.slice(0, mostInGraph), isFull = names.length > 2 && degree.get(names[0]) === degree.get(names[names.length - 1]);
  const hubs = isFull ? [] : shown.filter(name => names.length > 3 && degree.get(name) * 2 > names.length);
  const around = shown.filter(name => !hubs.includes(name)).sort();
  const radius = Math.max(150, around.length * 9), height = 2 * radius + 80, width = height + 320, at = new Map();
  const place = (list, r) => list.forEach((name, i) => {
    const turn = 2 * Math.PI * i / list.length - Math.PI / 2;
    at.set(name, { x: width / 2 + r * Math.cos(turn), y: height / 2 + r * Math.sin(turn), cos: Math.cos(turn), sin: Math.sin(turn) });
  });
  place(hubs, hubs.length > 1 ? radius * 0.35 : 0);
  place(around, radius);
  const lines = [], dots = [];
  for (const { ends, kind, text } of tunnels.values()) {
    const [a, b] = ends.map(end => at.get(end));
    if (a && b) lines.push(drawn("line", { x1: a.x, y1: a.y, x2: b.x, y2: b.y, class: kind }, drawn("title", {}, text)));
  }
  const trouble = name => [...tunnels.values()].filter(t => t.ends.includes(name)).every(t => t.kind === "critical");
  for (const [name, place] of at) {
    const { x, y, cos, sin } = place, host = told.get(name), isHub = hubs.includes(name);
    const age = host ? Math.max(0, time - host.time) : 0, words = [];
    if (age > 600) words.push(`last told ${span(age)} ago`);
    else if (trouble(name)) words.push("no tunnel is up");
    const look = words.length ? "critical" : host ? "here" : "quiet", suffix = words.length ? ` (${words[0]})` : "";
    dots.push(drawn("g", {}, drawn("title", {}, `${name}${suffix}: ${degree.get(name)} tunnels`),
      drawn("circle", { cx: x, cy: y, r: isHub ? 14 : 8, class: look }),
      isHub ? drawn("text", { x, y: y + 30, "text-anchor": "middle", class: "hub" }, short(name) + suffix)
        : named(x, y, cos, sin, short(name) + suffix)));
  }
  const text = `${nodes.length} hosts and ${tunnels.size} tunnels${names.length > shown.length ? `, of which those of ${shown.length} are drawn` : ""}; the table says the same`;
  $("graph").replaceChildren(drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": text }, ...lines, ...dots));
}
// This machine's devices in the middle, their peers around them.
function drawGraph(rows) {
  const shown = rows.slice(0, mostInGraph), devices = [...new Set(shown.map(device))];
  const radius = Math.max(150, shown.length * 9), height = 2 * radius + 80, width = height + 320;
  const middle = [width / 2, height / 2], lines = [], dots = [], at = {};
  devices.forEach((name, i) => {
    const turn = 2 * Math.PI * i / devices.length, away = devices.length > 1 ? radius * 0.3 : 0;
    at[name] = [middle[0] + away * Math.cos(turn), middle[1] + away * Math.sin(turn)];
  });
  [...shown].sort((a, b) => device(a) < device(b) ? -1 : device(a) > device(b) ? 1 : 0).forEach((p, i) => {
    const turn = 2 * Math.PI * i / shown.length - Math.PI / 2, cos = Math.cos(turn), sin = Math.sin(turn);
    const x = middle[0] + radius * cos, y = middle[1] + radius * sin, [dx, dy] = at[device(p)];
    lines.push(drawn("line", { x1: dx, y1: dy, x2: x, y2: y, class: kind(p) }));
    const name = label(p);
    dots.push(drawn("g", {}, drawn("title", {}, `${name}: ${p.state}`), drawn("circle", { cx: x, cy: y, r: 8, class: kind(p) }),
      named(x, y, cos, sin, short(name) + (p.level === "ok" ? "" : ` (${p.state})`))));
  });
  for (const name of devices) {
    const [x, y] = at[name];
    dots.push(drawn("g", {}, drawn("circle", { cx: x, cy: y, r: 24, class: "here" }),
      drawn("text", { x, y: y + 5, "text-anchor": "middle" }, name)));
  }
  const text = `${devices.join(", ")} with ${shown.length}${rows.length > shown.length ? ` of ${rows.length}` : ""} peers; the table says the same`;
  $("graph").replaceChildren(drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": text }, ...lines, ...dots));
}
function summarize() {
  const bad = peers.filter(p => p.level !== "ok").length, up = peers.filter(p => p.state === "up").length;
  const age = Math.max(0, Math.round(Date.now() / 1000 - time));
  const old = age > 600 ? `; the monitor last ran ${span(age)} ago` : `, ${span(age)} ago`;
  $("summary").textContent = `${nodes ? `${nodes.length} hosts: ` : ""}${bad ? `${bad} in trouble, ` : "All is well, "}${up} of ${peers.length} up${old}`;
  $("summary").className = bad || age > 600 ? "bad" : "";
  document.title = `${bad ? `(${bad}) ` : ""}WireGuard peers`;
}
async function refresh() {
  try {
    const [now, past] = await Promise.all(["/api/v1/peers", "/api/v1/history"].map(path => fetch(path, { cache: "no-store" })));
    if (!now.ok) throw new Error((await now.text()).trim());
    const told = await now.json();
    history = past.ok ? await past.json() : {};
    if (told.time !== time || peers.length === 0) {
      peers = told.peers;
      nodes = told.nodes ?? null;
      if (nodes) $("filter").before($("topology")); // of a fleet the drawing tells more than the table
      time = told.time;
      draw();
    }
    summarize();
    document.body.dataset.ready = "yes";
  } catch (problem) {
    $("summary").textContent = `Cannot be told: ${problem.message}`;
    $("summary").className = "bad";
  }
  setTimeout(refresh, 5000);
}
$("filter").addEventListener("submit", event => event.preventDefault());
$("search").addEventListener("input", draw);
$("trouble").addEventListener("change", draw);
document.addEventListener("keydown", event => {
  if (event.key === "/" && document.activeElement !== $("search")) { event.preventDefault(); $("search").focus(); }
});
refresh();
