"""The WSGI application, for ``idp serve``, gunicorn or any other server: ``idp.wsgi:application``."""

from .app import create_app

application = create_app()
