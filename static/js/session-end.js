// Enhancement only: without it the page says at what time the sign-in ends. Two minutes before, a dialog asks (WCAG 2.2.1);
// every other page that is open learns of the answer.
(() => {
  const dialog = document.getElementById("session-end");
  const [soon, over] = ["soon", "over"].map((name) => dialog.querySelector(`[data-session=${name}]`));
  const form = soon.querySelector("form");
  const others = new BroadcastChannel("mandat-session");
  const WARNING = 120; // seconds
  let end = 0;

  const last = (seconds) => {
    end = Date.now() + seconds * 1000;
    if (dialog.open) dialog.close();
    [soon.hidden, over.hidden] = [false, true];
  };

  const look = () => {
    const left = (end - Date.now()) / 1000;
    if (left > WARNING || (left <= 0 && !over.hidden)) return;
    [soon.hidden, over.hidden] = [left <= 0, left > 0];
    if (left <= 0 && dialog.open) document.getElementById("session-close").focus();
    if (!dialog.open) dialog.showModal();
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        headers: { Accept: "application/json" },
        redirect: "error",
      });
      const { seconds } = await answer.json();
      last(seconds);
      others.postMessage(seconds);
    } catch {
      end = Date.now();
      look();
    }
  });
  document.getElementById("session-close").addEventListener("click", () => dialog.close());
  others.addEventListener("message", (event) => last(Number(event.data)));

  last(Number(dialog.dataset.seconds));
  others.postMessage(Number(dialog.dataset.seconds));
  setInterval(look, 1000);
})();
