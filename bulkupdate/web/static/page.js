"use strict";
// Everything works without this file; with it, pages update themselves and mistakes are found earlier.

// Progress of a run: this part of the page is fetched again and again; the page itself when the run has ended.
const live = document.getElementById("live");
const announce = document.getElementById("announce");
const offline = document.getElementById("offline");
const POLL_MS = 2000;
const HIDDEN_POLL_MS = 15000;
let misses = 0;

async function follow() {
  try {
    const answer = await fetch(live.dataset.from, { headers: { Accept: "text/html" } });
    if (answer.status === 503) throw new Error("busy");
    if (!answer.ok) {
      location.reload();
      return;
    }
    live.innerHTML = await answer.text();
    misses = 0;
    offline.hidden = true;
    const progress = document.getElementById("progress");
    if (announce.textContent !== progress.dataset.announce) announce.textContent = progress.dataset.announce;
    document.title = document.title.replace(/^(\d+ % · )?/, `${progress.dataset.percent} % · `);
    if (progress.dataset.running !== "yes") {
      sessionStorage.setItem("ended", location.pathname);
      location.reload();
      return;
    }
  } catch {
    misses += 1;
    offline.hidden = misses < 2; // one miss may be chance
  }
  setTimeout(follow, document.hidden ? HIDDEN_POLL_MS : POLL_MS);
}

if (live && document.getElementById("progress").dataset.running === "yes") setTimeout(follow, 800);

// The end of a run is announced after the page has been loaded again.
if (live && sessionStorage.getItem("ended") === location.pathname) {
  sessionStorage.removeItem("ended");
  setTimeout(() => (announce.textContent = document.querySelector("#progress .state").textContent.trim()), 500);
}

// A session that is about to end: warn two minutes before, and ask the server, as another tab may have prolonged it.
const ending = document.getElementById("session-ending");
const WARNING_SECONDS = 120;
let sessionTimer = 0;

async function askSession(method, body) {
  const path = method === "POST" ? "/session/stay" : "/session";
  const answer = await fetch(path, { method, body, headers: { Accept: "application/json" } });
  return answer.ok ? (await answer.json()).seconds : -1;
}

function watchSession(seconds) {
  clearTimeout(sessionTimer);
  const warning = Math.min(WARNING_SECONDS, Number(document.body.dataset.sessionSeconds) / 2);
  const wait = seconds > warning ? seconds - warning : Math.max(seconds + 1, 1);
  sessionTimer = setTimeout(checkSession, Math.min(wait * 1000, 2 ** 31 - 1), warning);
}

async function checkSession(warning) {
  try {
    const seconds = await askSession("GET");
    if (seconds < 0) {
      location.assign(`/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
      return;
    }
    ending.hidden = seconds > warning + 1;
    watchSession(seconds);
  } catch {
    watchSession(30); // the server does not answer at the moment
  }
}

if (ending) {
  watchSession(Number(document.body.dataset.sessionSeconds));
  ending.querySelector("form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const seconds = await askSession("POST", new FormData(event.target));
    ending.hidden = true;
    if (seconds < 0) location.reload();
    else watchSession(seconds);
  });
}

// A form that starts something is sent once; coming back with the back button enables it again.
for (const form of document.querySelectorAll("form.once")) {
  form.addEventListener("submit", () => {
    setTimeout(() => form.querySelectorAll("button").forEach((button) => (button.disabled = true)), 0);
  });
}
addEventListener("pageshow", () => {
  document.querySelectorAll("form.once button:not([hidden])").forEach((button) => (button.disabled = false));
});

// A file that is dropped beside a drop zone would replace the page, so that is prevented.
for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
