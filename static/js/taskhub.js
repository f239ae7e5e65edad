// What every page loads: small elements that make a page nicer. Without them it still works.
import "./a11y.js"
import "./elements/auto_submit.js"
import "./elements/confirm_link.js"
import "./elements/copy_text.js"
import "./elements/log_view.js"
import "./elements/relative_time.js"
import "./elements/typed_confirm.js"
