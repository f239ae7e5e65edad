// A POST to the API as the signed-in user.
import { token } from "../csrf.js"

export async function post(address, body = {}) {
  let answer
  try {
    answer = await fetch(address, {
      method: "POST",
      credentials: "same-origin",
      headers: {
        "Content-Type": "application/json",
        "X-CSRFToken": token(),
      },
      body: JSON.stringify(body),
    })
  } catch {
    throw new Error("The server did not answer. Nothing may have happened; look again in a moment.")
  }
  const told = await answer.json().catch(() => null)
  if (answer.ok) return told
  if (answer.status === 401) {
    document.dispatchEvent(new Event("th-signed-out"))
    throw new Error("You are signed out. Sign in in another tab, then repeat it.")
  }
  throw new Error(told?.error ?? `The server answered ${answer.status}.`)
}
