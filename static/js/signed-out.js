// Enhancement only: without it the button leads on. A window has loaded once its frames have; a frame that hangs is not awaited.
const onward = document.getElementById("logout-continue").href;
const leave = () => window.location.replace(onward);

window.addEventListener("load", leave);
window.setTimeout(leave, 3000);
