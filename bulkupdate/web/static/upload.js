"use strict";
// The start page: the drop zone, whose check begins on drop, and a bar that shows how much of the file is uploaded.

function setUp(upload) {
  const drop = upload.querySelector(".drop");
  const input = document.getElementById("sheet");
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => {
      event.preventDefault();
      drop.classList.add("over");
    });
  }
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    checkSize(upload, input);
    if (input.checkValidity()) upload.requestSubmit();
  });
  input.addEventListener("change", () => checkSize(upload, input));
  upload.addEventListener("submit", (event) => {
    if (!input.files.length) return; // an address of the web, or nothing: a form like any other
    event.preventDefault();
    send(upload);
  });
}

// A file that is too large is reported at once.
function checkSize(upload, input) {
  const isTooLarge = input.files.length > 0 && input.files[0].size > Number(upload.dataset.maxBytes);
  const text = isTooLarge ? "This file is larger than the upload limit. Split the sheet and try again." : "";
  tell(text);
  input.setCustomValidity(text);
}

function tell(text) {
  const error = document.getElementById("file-error");
  error.hidden = !text;
  error.textContent = text;
}

function send(upload) {
  const button = upload.querySelector("button.primary");
  const bar = document.getElementById("upload-progress");
  const request = new XMLHttpRequest();
  let announced = -1;
  const show = (isSending) => {
    bar.hidden = !isSending;
    button.disabled = isSending;
  };
  request.upload.addEventListener("progress", (event) => {
    const percent = event.total ? Math.floor((100 * event.loaded) / event.total) : 0;
    bar.querySelector("progress").value = percent;
    if (Math.floor(percent / 10) === announced) return; // a screen reader is told every 10 %
    announced = Math.floor(percent / 10);
    bar.querySelector("span").textContent = percent < 100 ? `Uploading: ${percent} %` : "Uploaded; being checked…";
  });
  request.addEventListener("load", () => {
    if (request.status < 400) {
      location.assign(request.responseURL);
      return;
    }
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    document.title = page.title;
    document.querySelector("main").replaceWith(page.querySelector("main"));
    const again = document.getElementById("upload");
    if (again) setUp(again);
    document.querySelector("main").focus();
  });
  request.addEventListener("error", () => {
    show(false);
    tell("The upload was interrupted: the server refused it or could not be reached. Try again.");
  });
  request.open("POST", upload.action);
  request.send(new FormData(upload));
  tell("");
  show(true);
}

addEventListener("pageshow", () => {
  document.getElementById("upload-progress").hidden = true;
  document.querySelector("#upload button.primary").disabled = false;
});
setUp(document.getElementById("upload"));
