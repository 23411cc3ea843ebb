"use strict";
// The page of a server: what it asks for stands beside it, below the same secret.
async function asked(address, settings) {
  const answer = await fetch(address, { cache: "no-store", ...settings });
  if (answer.status === 204) return null;
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

const source = {
  live: true,
  again: "",
  next: (after) => asked(`frame?after=${after}`),
  do: (command) => asked("do", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(command),
  }),
};
new Play(document.querySelector(".play"), source);
// Once nobody answers it is too late to ask.
asked("again").then((words) => { source.again = words; }, () => {});
