// The console's only script: streams answers into the Ask page and guards forms against double sending.

const form = document.querySelector("[data-form]");
if (form) {
  const turns = document.querySelector("[data-turns]");
  const box = form.elements.question;
  const button = form.querySelector("button");

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask(box.value);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  document.addEventListener("submit", (event) => {
    if (event.target.matches("[data-examples], [data-options]") && event.submitter) {
      event.preventDefault();
      ask(event.submitter.value);
    }
  });

  async function ask(text) {
    const question = text.trim();
    if (!question || form.dataset.busy) return;
    form.dataset.busy = "yes";
    button.setAttribute("aria-busy", "true");
    button.textContent = "Answering…";
    document.querySelector("[data-examples]")?.remove();
    const turn = document.createElement("section");
    turn.className = "turn";
    turn.innerHTML =
      '<p class="question"></p><div class="progress" role="status"><span class="now">Reading the question</span></div>' +
      '<div class="answer"></div>';
    turn.querySelector(".question").textContent = question;
    turns.append(turn);
    box.value = "";
    turn.scrollIntoView({ block: "start", behavior: "smooth" });
    const body = new URLSearchParams({ question, conversation_id: form.elements.conversation_id.value });
    try {
      const answer = await fetch("/ask/stream", { method: "POST", body, headers: { Accept: "text/event-stream" } });
      if (answer.status === 401 || answer.redirected) return location.reload();
      if (!answer.ok) throw new Error(await reason(answer));
      for await (const [kind, data] of events(answer.body)) show(turn, kind, data);
      if (turn.querySelector(".progress")) throw new Error("The answer broke off. Please ask again.");
    } catch (error) {
      turn.querySelector(".progress")?.remove();
      const note = document.createElement("div");
      note.className = "note bad";
      note.setAttribute("role", "alert");
      note.textContent = error.message || "The server does not answer. Please try again.";
      turn.querySelector(".answer").replaceChildren(note);
    } finally {
      delete form.dataset.busy;
      button.removeAttribute("aria-busy");
      button.textContent = "Ask";
      box.focus({ preventScroll: true });
    }
  }

  function show(turn, kind, data) {
    const answer = turn.querySelector(".answer");
    if (kind === "status") {
      turn.querySelector(".now").textContent = data;
    } else if (kind === "table") {
      answer.insertAdjacentHTML("beforeend", data);
    } else if (kind === "sentence") {
      let text = answer.querySelector(".text");
      if (!text) {
        text = document.createElement("p");
        text.className = "text";
        answer.prepend(text);
      }
      text.textContent += (text.textContent ? "\n" : "") + data;
    } else if (kind === "answer") {
      turn.querySelector(".progress")?.remove();
      answer.innerHTML = data.html;
      form.elements.conversation_id.value = data.conversation_id;
      turn.scrollIntoView({ block: "start", behavior: "smooth" });
    }
  }
}

async function reason(answer) {
  try {
    const problem = await answer.json();
    return [problem.detail, problem.remedy].filter(Boolean).join(". ");
  } catch {
    return "The server could not answer. Please try again.";
  }
}

// Server-sent events from a response body, as [event, parsed data].
async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    text = (text + value).replaceAll("\r\n", "\n");
    let end;
    while ((end = text.indexOf("\n\n")) >= 0) {
      const lines = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const kind = lines.find((line) => line.startsWith("event:"))?.slice(6).trim();
      const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5)).join("\n");
      if (kind && data) yield [kind, JSON.parse(data)];
    }
  }
}

document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => {
  for (const one of document.querySelectorAll("form[data-sent]")) delete one.dataset.sent;
});
