// Whether code compiles, asked of the server; nothing of it is run.

import { post } from "./api_post.js"

/** What to tell of it: a tone, words, and the line that is wrong, if one is known. */
export async function check(language, code) {
  if (!code.trim()) return { tone: "bad", words: "There is no code to check." }
  try {
    const found = await post(`/api/v1/languages/${encodeURIComponent(language)}/check`, { code })
    if (found.ok) return { tone: "good", words: "It compiles. Nothing was run." }
    const { message, line } = found
    return { tone: "bad", words: line ? `Line ${line}: ${message}` : message, line }
  } catch (error) {
    return { tone: "bad", words: error.message }
  }
}
