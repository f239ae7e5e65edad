// What the page of one job loads besides.
import "./elements/job_page.js"
import "./elements/log_view.js"
