"use strict";
// Everything works without this file; with it, pages move by themselves and mistakes are seen earlier.

// A run's progress: its part of the page is fetched anew; the page itself when the run has ended.
const live = document.getElementById("live");
const announce = document.getElementById("announce");

async function follow() {
  try {
    const answer = await fetch(live.dataset.from, { headers: { Accept: "text/html" } });
    if (!answer.ok) {
      location.reload();
      return;
    }
    live.innerHTML = await answer.text();
    const progress = document.getElementById("progress");
    if (announce.textContent !== progress.dataset.say) announce.textContent = progress.dataset.say;
    if (progress.dataset.running !== "yes") {
      location.reload();
      return;
    }
  } catch {
    // the server is away for a moment: ask again
  }
  setTimeout(follow, 1500);
}

if (live && document.getElementById("progress").dataset.running === "yes") setTimeout(follow, 800);

// A form that starts something is sent once; coming back to the page by the back button frees it again.
for (const form of document.querySelectorAll("form.once")) {
  form.addEventListener("submit", () => {
    setTimeout(() => form.querySelectorAll("button").forEach((button) => (button.disabled = true)), 0);
  });
}
addEventListener("pageshow", () => {
  document.querySelectorAll("form.once button").forEach((button) => (button.disabled = false));
});

// The place to drop a file: lit while one hangs over it; a file that is too large is told at once.
const upload = document.getElementById("upload");
if (upload) {
  const drop = upload.querySelector(".drop");
  const input = document.getElementById("sheet");
  const trouble = document.getElementById("file-trouble");
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (event.dataTransfer.files.length) {
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change"));
    }
  });
  input.addEventListener("change", () => {
    const isTooLarge = input.files.length && input.files[0].size > Number(upload.dataset.mostBytes);
    trouble.hidden = !isTooLarge;
    trouble.textContent = isTooLarge ? "This file is larger than the upload limit. Split the sheet and try again." : "";
    input.setCustomValidity(trouble.textContent);
  });
}
