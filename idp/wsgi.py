"""The applications that servers run.

``idp.wsgi:application`` is for gunicorn or any other WSGI server; ``idp.wsgi:rsgi_application`` is what ``idp serve`` runs.
"""

from .app import create_app
from .private_files import keep_private
from .rsgi import RsgiApplication

keep_private()
application = create_app()
rsgi_application = RsgiApplication(application)
