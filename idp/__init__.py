"""Mandat: identity and delegation for enterprises.

The map of the code, from the top (each layer may import only those below it):

- ``cli``        the commands: serve, worker, db, keys, agencies, clients, register, taxfile, operator, audit, doctor
- ``app``        ``create_app``: the composition root
- ``my_data``    the copy of what is stored about a person, gathered from the contexts
- ``support``    the operator's desk · ``pages``  home and help
- ``enrollment`` how an enterprise enrols · ``oidc``  how an agency learns who acts for which enterprise
- ``delegation`` what a person may do, for which enterprise, until when
- ``accounts``   who a person is: credentials, second factors, sign-ins
- ``notices``    the outbox: e-mail, letters, signals · ``connectors``  the register and the tax agency
- ``audit``      the append-only log
- ``http``       what every page and endpoint shares: headers, forms, limits, proxies, outgoing calls, the server
- ``crypto``     ciphers, and values sealed at rest
- ``db`` · ``i18n`` · ``config`` · ``identifiers`` · ``own_data`` · ``errors`` · ``clock``
"""

__version__ = "0.1.0"
