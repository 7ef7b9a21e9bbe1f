"""The applications that servers run.

``idp.wsgi:application`` is for gunicorn or any other WSGI server; ``idp.wsgi:rsgi_application`` is what ``idp serve`` runs.
"""

from .app import create_app
from .http.rsgi import RsgiApplication
from .private_files import keep_private

keep_private()
application = create_app()
rsgi_application = RsgiApplication(application)
