"""Mandat: identity and delegation for enterprises.

The map of the code, from the top (each layer may import only those below it):

- ``cli``        the commands: serve, worker, db, keys, agencies, clients, register, taxfile, operator, audit, doctor
- ``app``        ``create_app``: the one place where everything meets
- ``support``    the operator's desk · ``pages``  home and help
- ``enrollment`` how an enterprise gets in · ``oidc``  how an agency learns who acts for whom
- ``delegation`` what a person may do, for which enterprise, until when
- ``accounts``   who a person is: credentials, second factors, sign-ins
- ``notices``    the outbox: e-mail, letters, signals · ``connectors``  the register and the tax agency
- ``audit``      the append-only log
- ``web``        what every page shares · ``limits`` the coarse shield · ``egress`` the guarded way out
- ``db`` · ``i18n`` · ``sealing`` · ``config`` · ``identifiers`` · ``errors`` · ``clock``
"""

__version__ = "0.1.0"
