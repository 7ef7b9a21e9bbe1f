"""What pages and other contexts may use of enrolment: one front for its services."""

from .check_services import check as check
from .connector_services import look_up as look_up
from .designation_services import IssuedSlip as IssuedSlip
from .designation_services import open_account as open_account
from .designation_services import slip as slip
from .draft_services import NomineeFacts as NomineeFacts
from .draft_services import Representative as Representative
from .draft_services import add_representative_as_nominee as add_representative_as_nominee
from .draft_services import confirm_neq as confirm_neq
from .draft_services import contest as contest
from .draft_services import is_named as is_named
from .draft_services import remove_nominee as remove_nominee
from .draft_services import save_neq as save_neq
from .draft_services import save_nominee as save_nominee
from .draft_services import save_representative as save_representative
from .draft_services import save_revenu_quebec_id as save_revenu_quebec_id
from .draft_services import start as start
from .draft_services import submit as submit
from .draft_services import withdraw as withdraw
from .file_services import file_of_representative as file_of_representative
from .file_services import timeline as timeline
from .file_services import view as view
