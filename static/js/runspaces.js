// What the pages of runspaces load besides.
import "./elements/live_parts.js"
import "./elements/memory_chart.js"
import "./elements/memory_line.js"
import "./elements/runspace_list.js"
