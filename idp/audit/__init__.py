"""The append-only log: writing it, ordering it, verifying it."""

from .domain.chain import Entry as Entry
from .domain.events import Event as Event
from .services import ANONYMOUS as ANONYMOUS
from .services import SYSTEM as SYSTEM
from .services import Actor as Actor
from .services import Published as Published
from .services import Verification as Verification
from .services import entries as entries
from .services import in_order as in_order
from .services import record as record
from .services import sequence as sequence
from .services import verify as verify
from .services import whole_of as whole_of
