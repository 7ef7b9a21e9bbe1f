// Enhancement only: the hint names the least length anyway. Counts as the server does: code points of the composed text.
(() => {
  const meter = document.getElementById("password-length");
  const field = document.getElementById("new-password");
  const [seen, heard] = meter.children;
  const { least, one, many, enough } = meter.dataset;
  let pause = 0;

  const words = () => {
    const missing = Number(least) - [...field.value.normalize("NFC")].length;
    if (missing <= 0) return enough;
    return missing === 1 ? one : many.replace("{}", missing);
  };

  field.addEventListener("input", () => {
    seen.textContent = words();
    clearTimeout(pause); // whoever listens hears it after a pause, and not at every sign
    pause = setTimeout(() => (heard.textContent = words()), 1000);
  });
  seen.textContent = words();
  field.closest(".govuk-form-group").append(meter);
  meter.hidden = false;
})();
