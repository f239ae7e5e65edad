// The pages of the API in the theme that was chosen for all other pages; run before anything is drawn.

const chosen = (localStorage.getItem("adminTheme") ?? "auto").replaceAll('"', "")
const dark = chosen === "dark" || (chosen === "auto" && matchMedia("(prefers-color-scheme: dark)").matches)
document.documentElement.classList.toggle("dark-mode", dark)
