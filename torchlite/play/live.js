"use strict";
// The page of a server: what it asks for stands beside it, below the same secret.
async function asked(address, settings) {
  const answer = await fetch(address, { cache: "no-store", ...settings });
  if (answer.status === 204) return null;
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

new Play(document.querySelector(".play"), {
  live: true,
  again: "Start it again: python -m torchlite play",
  next: (after) => asked(`frame?after=${after}`),
  do: (command) => asked("do", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(command),
  }),
});
