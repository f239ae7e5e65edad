// The token that a POST has to carry. A sign-in in another tab makes the one in an open page's forms
// stale, and what was typed there would be lost with the refusal; the cookie holds the one that counts.

const COOKIE = /(?:^|; )taskhub_csrf=([^;]+)/

export function token() {
  return document.cookie.match(COOKIE)?.[1] ?? document.querySelector("[name=csrfmiddlewaretoken]")?.value ?? ""
}
