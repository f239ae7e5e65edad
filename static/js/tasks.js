// What the pages of tasks load besides.
import "./elements/bulk_question.js"
import "./elements/cron_builder.js"
import "./elements/row_selection.js"
import "./elements/task_form.js"
import "./elements/task_list.js"
import "./elements/task_page.js"
