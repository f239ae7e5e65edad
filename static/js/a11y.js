// The skin's menus and switches are plain boxes that listen for clicks. Here they become buttons
// for the keyboard and for screen readers, and the names of its icon letters are kept silent.

const NAMES = [
  [/sidebarMobileOpen/, "Show or hide the menu"],
  [/openUserLinks/, "Your account and the theme"],
  [/switchTheme\('light'\)|adminTheme = 'light'/, "Light theme"],
  [/switchTheme\('dark'\)|adminTheme = 'dark'/, "Dark theme"],
  [/switchTheme\('auto'\)|adminTheme = 'auto'/, "Theme of the system"],
  [/openTheme/, "Choose a theme"],
]

function isClickable(box) {
  return box.hasAttribute("x-on:click")
}

function makeButton(box) {
  if (box.matches("button, input, select, textarea, a[href], [role=button]")) return
  const does = box.getAttribute("x-on:click")
  box.setAttribute("role", "button")
  box.tabIndex = 0
  if (!box.hasAttribute("aria-label")) {
    const known = NAMES.find(([pattern]) => pattern.test(does))
    if (known) box.setAttribute("aria-label", known[1])
  }
  box.addEventListener("keydown", (event) => {
    if (event.target !== box || (event.key !== "Enter" && event.key !== " ")) return
    event.preventDefault()
    box.click()
  })
}

function silenceIcon(icon) {
  if (!isClickable(icon)) icon.setAttribute("aria-hidden", "true")
}

function repair(root) {
  root.querySelectorAll("[x-on\\:click]").forEach(makeButton)
  root.querySelectorAll(".material-symbols-outlined").forEach(silenceIcon)
}

repair(document)
