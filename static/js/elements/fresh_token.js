// Every form is sent with the token that counts at that moment.
import { token } from "../csrf.js"

document.addEventListener(
  "submit",
  (event) => {
    const field = event.target.elements?.csrfmiddlewaretoken
    if (field) field.value = token()
  },
  true,
)
