"use strict";
// Everything works without this file; with it, pages update themselves and mistakes are found earlier.

// Progress of a run: this part of the page is fetched again and again; the page itself when the run has ended.
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
    if (announce.textContent !== progress.dataset.announce) announce.textContent = progress.dataset.announce;
    if (progress.dataset.running !== "yes") {
      location.reload();
      return;
    }
  } catch {
    // the server does not answer at the moment: try again
  }
  setTimeout(follow, 1500);
}

if (live && document.getElementById("progress").dataset.running === "yes") setTimeout(follow, 800);

// A form that starts something is sent once; coming back with the back button enables it again.
for (const form of document.querySelectorAll("form.once")) {
  form.addEventListener("submit", () => {
    setTimeout(() => form.querySelectorAll("button").forEach((button) => (button.disabled = true)), 0);
  });
}
addEventListener("pageshow", () => {
  document.querySelectorAll("form.once button").forEach((button) => (button.disabled = false));
});

// The drop zone: highlighted while a file is dragged over it; a file that is too large is reported at once.
const upload = document.getElementById("upload");
if (upload) {
  const drop = upload.querySelector(".drop");
  const input = document.getElementById("sheet");
  const error = document.getElementById("file-error");
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
    const isTooLarge = input.files.length && input.files[0].size > Number(upload.dataset.maxBytes);
    error.hidden = !isTooLarge;
    error.textContent = isTooLarge ? "This file is larger than the upload limit. Split the sheet and try again." : "";
    input.setCustomValidity(error.textContent);
  });
}
