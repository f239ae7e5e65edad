// What the list of jobs loads besides.
import "./elements/act_buttons.js"
import "./elements/bulk_question.js"
import "./elements/job_list.js"
import "./elements/row_selection.js"
