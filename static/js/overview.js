// What the overview and the pages of runspaces load besides.
import "./elements/act_buttons.js"
import "./elements/live_parts.js"
