"""The sentences of the front page: its two audiences, what they need, and where to begin."""

from __future__ import annotations

ENTRANCE: dict[str, tuple[str, str]] = {
    "welcome": ("Services en ligne pour les entreprises", "Online services for enterprises"),
    "welcome_text": (
        "Préparer une demande d’autorisation de contracter, payer une facture, suivre un dossier : chaque personne ouvre "
        "seulement ce que son entreprise lui a confié.",
        "Prepare an application for authorization to contract, pay an invoice, follow a file: each person opens only what "
        "their enterprise has entrusted to them.",
    ),
    "have_account": ("J’ai un compte", "I have an account"),
    "have_account_text": (
        "Vous avez un code d’utilisateur, un mot de passe et une application de vérification.",
        "You have a user code, a password and a verification application.",
    ),
    "have_account_subscribe": ("Inscrire mon entreprise à l’AMP", "Subscribe my enterprise to the AMP"),
    "have_account_modify": (
        "Modifier l’inscription ou les blocs fonctionnels choisis",
        "Change the subscription or the functional blocks selected",
    ),
    "have_account_for_pes": (
        "Pour les personnes responsables des services électroniques :",
        "For persons in charge of electronic services:",
    ),
    "no_account": ("Mon entreprise n’a pas de compte", "My enterprise has no account"),
    "no_account_text": (
        "Le représentant autorisé inscrit d’abord l’entreprise dans Mandat. Elle s’inscrit ensuite à l’AMP.",
        "The authorized representative first enrols the enterprise with Mandat. It then subscribes to the AMP.",
    ),
    "enrol": ("Inscrire mon entreprise dans Mandat", "Enrol my enterprise with Mandat"),
    "two_steps": ("Les deux étapes", "The two steps"),
    "step_enrol": ("Inscription de l’entreprise à Mandat", "Enrolment of the enterprise with Mandat"),
    "step_enrol_text": (
        "Le représentant autorisé donne les numéros de l’entreprise, s’identifie et nomme au moins une personne "
        "responsable des "
        "services électroniques. Il reçoit pour elle un code d’utilisateur et un mot de passe temporaire.",
        "The authorized representative gives the numbers of the enterprise, says who they are and names at least one person in "
        "charge of electronic services. They receive a user code and a temporary password for that person.",
    ),
    "step_subscribe": ("Inscription aux services de l’AMP", "Subscription to the services of the AMP"),
    "step_subscribe_text": (
        "La personne responsable choisit « Autorité des marchés publics » dans la liste des organismes, répond aux "
        "questions et "
        "consent. Répondez que l’entreprise n’est pas cliente de l’AMP, sauf si elle a reçu un numéro de client. Elle accorde "
        "ensuite à chaque personne les blocs dont celle-ci a besoin.",
        "The person in charge selects “Autorité des marchés publics” from the list of agencies, answers the questions "
        "and consents. "
        "Answer that the enterprise is not a client of the AMP, unless it has received a client number. They then grant each "
        "person the blocks that person needs.",
    ),
    "at_hand": ("Ce qu’il faut avoir en main", "What to have at hand"),
    "at_hand_neq": (
        "le numéro d’entreprise du Québec (NEQ), dix chiffres ;",
        "the Québec enterprise number (NEQ), ten digits;",
    ),
    "at_hand_rq": (
        "le numéro d’identification de Revenu Québec, dix chiffres, si l’entreprise est inscrite à ses fichiers ;",
        "the Revenu Québec identification number, ten digits, if the enterprise is registered there;",
    ),
    "at_hand_ar": (
        "l’identité et la fonction du représentant autorisé (RA), et un avis de cotisation récent ;",
        "the identity and position of the authorized representative (AR), and a recent notice of assessment;",
    ),
    "at_hand_pes": (
        "le nom et le courriel de chaque personne responsable des services électroniques (RSE).",
        "the name and e-mail address of each person in charge of electronic services (PES).",
    ),
    "who_is_who": ("Qui fait quoi", "Who does what"),
    "ar_who": (
        "En général, un dirigeant de l’entreprise (présidence, vice-présidence, secrétariat, trésorerie), un associé, le ou la "
        "propriétaire, ou une personne dûment mandatée. Il inscrit l’entreprise et nomme les responsables.",
        "Generally an officer of the enterprise (president, vice-president, secretary, treasurer), a partner, the owner, or a "
        "person duly mandated. They enrol the enterprise and name the persons in charge.",
    ),
    "pes_who": (
        "Elle détient tous les blocs de l’entreprise, l’inscrit aux organismes, crée les utilisateurs et leur accorde "
        "des blocs "
        "jusqu’à une date.",
        "They hold all the blocks of the enterprise, subscribe it to agencies, create users and grant them blocks until "
        "a date.",
    ),
    "user_who": (
        "Une personne qui fait ici les tâches que ses blocs lui ouvrent, avec son propre code. Un mot de passe ne se "
        "partage pas.",
        "A person who does here the tasks that their blocks open, with their own code. A password is never shared.",
    ),
    "role_pes_name": ("Responsable des services électroniques (RSE)", "Person in charge of electronic services (PES)"),
    "role_ar_name": ("Représentant autorisé (RA)", "Authorized representative (AR)"),
    "role_user_name": ("Utilisateur ou utilisatrice", "User"),
    "who_is_my_pes": (
        "Vous ne savez pas qui est responsable dans votre entreprise ? Mandat lui transmet votre message, sans dire son nom.",
        "You do not know who is in charge in your enterprise? Mandat passes your message on to them, without saying their name.",
    ),
    "find_pes": ("Écrire à la personne responsable", "Write to the person in charge"),
    "what_blocks_are": ("Les blocs fonctionnels", "The functional blocks"),
    "what_blocks_are_text": (
        "Un bloc fonctionnel ouvre une partie des services. Une personne n’ouvre que ses propres blocs ; pour une demande "
        "d’autorisation, on sépare souvent qui la remplit (018) et qui la valide (019).",
        "A functional block opens a part of the services. A person opens only their own blocks; for an application for "
        "authorization, who fills it in (018) and who validates it (019) are often two people.",
    ),
    "does_001": ("lire les messages de l’AMP et y répondre", "read the messages of the AMP and answer them"),
    "does_005": ("poser une question, faire une autre demande", "ask a question, make another request"),
    "does_007": ("voir où en est chaque demande", "see where each application or request is"),
    "does_008": ("payer les frais", "pay the fees"),
    "does_018": (
        "remplir la demande et ses liens d’affaires",
        "fill in the application and its business relationships",
    ),
    "does_019": ("divulguer les liens et transmettre la demande", "disclose relationships and submit the application"),
    "does_024": ("lire tout le dossier", "read the whole file"),
    "how_long": ("Combien de temps", "How long it takes"),
    "how_long_text": (
        "L’inscription à Mandat prend environ quinze minutes, si les vérifications en ligne suffisent. Sinon, un code "
        "part par la poste, "
        "ou une personne étudie le dossier : cinq jours ouvrables. L’inscription à l’AMP prend quelques minutes. Vous "
        "pouvez vous "
        "arrêter et revenir.",
        "Enrolment with Mandat takes about fifteen minutes if the online checks are enough. Otherwise a code is sent by "
        "post, or a "
        "person examines the file: five working days. Subscription to the AMP takes a few minutes. You may stop and come back.",
    ),
    "no_enterprise": (
        "Vous n’agissez pour aucune entreprise. Demandez à la personne responsable des services électroniques de vous ajouter.",
        "You act for no enterprise. Ask the person in charge of electronic services to add you.",
    ),
    "no_enterprise_title": ("Il manque une entreprise", "An enterprise is missing"),
    "no_block": (
        "Aucun bloc fonctionnel ne vous est accordé pour cette entreprise. Ouvrez un service pour voir à qui le demander.",
        "No functional block is granted to you for this enterprise. Open a service to see whom to ask.",
    ),
    "no_block_ar": (
        "Comme représentant autorisé, vous n’avez pas de bloc. Dans Mandat, vous nommez les personnes responsables des "
        "services "
        "électroniques, qui ont tous les blocs.",
        "As authorized representative you have no block. In Mandat you name the persons in charge of electronic "
        "services, who have "
        "all the blocks.",
    ),
    "name_pes": ("Nommer une personne responsable", "Name a person in charge"),
    "unread_count": ("Messages non lus : {count}", "Unread messages: {count}"),
}
