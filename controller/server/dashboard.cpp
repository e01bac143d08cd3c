#include "controller/server/dashboard.h"

#include <string>

#include "base/hash.h"

namespace keyturn {
namespace {

constexpr std::string_view style = R"css(
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem; color: #1c2733; background: #fff; }
h1 { font-size: 1.3rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .8rem .35rem 0; border-bottom: 1px solid #d8dee5; vertical-align: top; }
th { font-size: .75rem; letter-spacing: .05em; color: #5b6875; }
td.True { color: #14733b; } td.False { color: #b3261e; } td.Unknown { color: #8a6100; }
#note { color: #5b6875; min-height: 1.4em; }
@media (prefers-color-scheme: dark) { body { color: #dde4ea; background: #14191f; } th, td { border-color: #313a44; }
  td.True { color: #6cc893; } td.False { color: #ff8a80; } td.Unknown { color: #e6b94d; } }
)css";

// Every text from the API goes through textContent, so that no name or message can become markup. The token stays in a variable.
constexpr std::string_view script = R"js(
"use strict";
let token = "";
const note = document.getElementById("note");
const rows = document.getElementById("rows");
const refresh_ms = 5000;
function ago(time) {
  if (!time) return "";
  const seconds = Math.round((Date.now() - Date.parse(time)) / 1000), size = Math.abs(seconds);
  const text = size < 120 ? size + "s" : size < 7200 ? Math.round(size / 60) + "m" : size < 172800 ? Math.round(size / 3600) + "h"
             : Math.round(size / 86400) + "d";
  return seconds < 0 ? "in " + text : text + " ago";
}
function cell(row, text, kind) {
  const element = row.insertCell();
  element.textContent = text || "";
  if (kind) element.className = kind;
}
function show(rotations) {
  rows.replaceChildren();
  for (const rotation of rotations) {
    const ready = (rotation.conditions || []).find(condition => condition.type === "Ready") || {};
    const row = rows.insertRow();
    cell(row, rotation.namespace);
    cell(row, rotation.name);
    cell(row, ready.status, ["True", "False", "Unknown"].includes(ready.status) ? ready.status : "");
    cell(row, ready.reason);
    cell(row, rotation.wantedRevision);
    cell(row, rotation.current && rotation.current.name);
    cell(row, rotation.step);
    cell(row, rotation.current && ago(rotation.current.activatedAt));
    cell(row, ago(rotation.nextRotationTime));
    cell(row, ready.message);
  }
  note.textContent = rotations.length + (rotations.length === 1 ? " rotation" : " rotations");
}
async function refresh() {
  if (!token) return;
  try {
    const reply = await fetch("/v1alpha1/rotations", {headers: {Authorization: "Bearer " + token}, cache: "no-store"});
    if (reply.status === 401) { token = ""; rows.replaceChildren(); note.textContent = "This token is not accepted."; return; }
    if (!reply.ok) { note.textContent = "The controller answered " + reply.status + "."; return; }
    show((await reply.json()).rotations || []);
  } catch (error) {
    note.textContent = "The controller cannot be reached; the table is as it was.";
  }
}
document.getElementById("sign-in").addEventListener("submit", event => {
  event.preventDefault();
  const field = document.getElementById("token");
  token = field.value.trim();
  field.value = "";
  refresh();
});
setInterval(refresh, refresh_ms);
)js";

std::string hash_source(std::string_view text) {
  const Sha256 digest = sha256(text);
  return "'sha256-" + to_base64({reinterpret_cast<const char*>(digest.data()), digest.size()}) + "'";
}

std::string make_html() {
  std::string html = "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Keyturn</title>\n<style>";
  html.append(style);
  html.append(R"html(</style></head>
<body>
<h1>Keyturn rotations</h1>
<form id="sign-in"><label>Token <input id="token" type="password" autocomplete="off" required></label> <button>Show</button></form>
<p id="note" role="status"></p>
<table>
<thead><tr><th>NAMESPACE<th>NAME<th>READY<th>REASON<th>WANTED<th>CURRENT<th>STEP<th>ROTATED<th>NEXT<th>MESSAGE</tr></thead>
<tbody id="rows"></tbody>
</table>
<script>)html");
  html.append(script);
  html.append("</script>\n</body>\n</html>\n");
  return html;
}

}  // namespace

std::string_view dashboard_html() {
  static const std::string html = make_html();
  return html;
}

std::string_view dashboard_security_policy() {
  static const std::string policy = "default-src 'none'; script-src " + hash_source(script) + "; style-src " + hash_source(style) +
                                    "; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
  return policy;
}

}  // namespace keyturn
