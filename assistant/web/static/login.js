// Logs in, and shows the page.

const form = document.getElementById("login");
const wrong = document.getElementById("wrong");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  wrong.textContent = "";
  const answer = await fetch("login", { method: "POST", body: new URLSearchParams(new FormData(form)) });
  if (answer.ok) location.reload();
  else wrong.textContent = "This name and password are not known here.";
});
