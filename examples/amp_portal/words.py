"""The portal's sentences in both languages: French first."""

from __future__ import annotations

WORDS: dict[str, tuple[str, str]] = {
    "portal": ("Portail de l’AMP", "AMP portal"),
    "demonstration": ("Démonstration", "Demonstration"),
    "not_official": (
        "Ce portail est une démonstration. Il n’est pas un service de l’Autorité des marchés publics.",
        "This portal is a demonstration. It is not a service of the Autorité des marchés publics.",
    ),
    "skip": ("Aller au contenu", "Skip to content"),
    "other_language": ("English", "Français"),
    "welcome": ("Services en ligne pour les entreprises", "Online services for enterprises"),
    "welcome_text": (
        "Préparer une demande d’autorisation de contracter, payer une facture, suivre un dossier : chaque personne ouvre "
        "seulement ce que son entreprise lui a confié.",
        "Prepare an application for authorization to contract, pay an invoice, follow a file: each person opens only what "
        "their enterprise has entrusted to them.",
    ),
    "sign_in": ("Se connecter avec Mandat", "Sign in with Mandat"),
    "sign_out": ("Se déconnecter", "Sign out"),
    "switch": ("Changer d’entreprise", "Change enterprise"),
    "acting_for": ("Vous agissez pour", "You act for"),
    "services": ("Vos services", "Your services"),
    "open": ("Ouvert", "Open"),
    "closed": ("Non accordé", "Not granted"),
    "workspace": ("Vos services", "Your services"),
    "back": ("Retour aux services", "Back to services"),
    "told": ("Ce que Mandat nous a dit", "What Mandat told us"),
    "told_text": (
        "Voici les renseignements reçus à votre connexion, et rien d’autre.",
        "This is what we received when you signed in, and nothing else.",
    ),
    "until": ("Valide jusqu’à", "Valid until"),
    "events": ("Signaux reçus", "Signals received"),
    "no_events": ("Aucun signal reçu.", "No signal received."),
    "event_backchannel-logout": ("Fin de session", "Session ended"),
    "event_session-revoked": ("Session fermée dans Mandat", "Session closed at Mandat"),
    "event_token-claims-change": ("Droits modifiés", "Rights changed"),
    "event_credential-change": ("Mot de passe ou application modifié", "Password or application changed"),
    "event_other": ("Autre signal", "Other signal"),
    "claim": ("Renseignement", "Claim"),
    "value": ("Valeur", "Value"),
    "refused_title": ("Ce service ne vous est pas accordé", "This service is not granted to you"),
    "refused_why": (
        "Pour {enterprise}, vous ne détenez pas le bloc fonctionnel {code} ({label}). Vous détenez : {held}.",
        "For {enterprise}, you do not hold functional block {code} ({label}). You hold: {held}.",
    ),
    "refused_none": ("aucun bloc", "no block"),
    "refused_how": ("Comment l’obtenir", "How to get it"),
    "refused_how_text": (
        "Demandez-le à la personne responsable des services électroniques de votre entreprise. Dans Mandat, elle ouvre "
        "« Autorité des marchés publics », puis « Donner ou retirer des accès », et vous accorde ce bloc avec une date de fin.",
        "Ask the person in charge of electronic services of your enterprise. In Mandat, they open “Autorité des marchés "
        "publics”, then “Give or remove access”, and grant you this block with an end date.",
    ),
    "refused_mine": ("Voir mes droits dans Mandat", "See my rights in Mandat"),
    "refused_again": ("Vérifier de nouveau mes droits", "Check my rights again"),
    "enterprise_inactive": (
        "L’entreprise {enterprise} est suspendue. Aucun service n’est ouvert pour elle.",
        "The enterprise {enterprise} is suspended. No service is open for it.",
    ),
    "removed_title": ("Vos droits ont changé", "Your rights have changed"),
    "removed_text": (
        "Mandat nous a signalé un changement le {when}. Par prudence, votre session ici a pris fin. Ce que vous aviez "
        "enregistré est conservé.",
        "Mandat told us of a change on {when}. To be safe, your session here has ended. What you had saved is kept.",
    ),
    "removed_go_on": ("Continuer avec mes droits actuels", "Go on with my present rights"),
    "expired_title": ("Il faut vérifier vos droits", "Your rights need checking"),
    "expired_text": (
        "Nous ne gardons vos droits que quelques minutes. Continuez : si votre session dans Mandat est toujours ouverte, rien ne "
        "vous sera demandé.",
        "We keep your rights for a few minutes only. Continue: if you are still signed in to Mandat, nothing will be asked.",
    ),
    "continue": ("Continuer", "Continue"),
    "failed_title": ("La connexion n’a pas abouti", "Signing in did not succeed"),
    "failed_denied": (
        "Vous avez annulé, ou aucune entreprise ne peut être représentée en ce moment.",
        "You cancelled, or there is no enterprise to act for at present.",
    ),
    "failed_other": (
        "Réessayez. Si le problème persiste, écrivez-nous.",
        "Try again. If the problem persists, write to us.",
    ),
    "unreachable": (
        "Le service de connexion ne répond pas. Réessayez dans quelques minutes.",
        "The sign-in service does not answer. Try again in a few minutes.",
    ),
    "signed_out_title": ("Votre session au portail est fermée", "You are signed out of the portal"),
    "no_enterprise": (
        "Vous n’agissez pour aucune entreprise. Demandez à la personne responsable des services électroniques de vous ajouter.",
        "You act for no enterprise. Ask the person in charge of electronic services to add you.",
    ),
    "not_found": ("Page introuvable", "Page not found"),
    "bad_form": (
        "Ce formulaire n’est plus valide. Rechargez la page.",
        "This form is no longer valid. Reload the page.",
    ),
    "error_summary": ("Il y a un problème", "There is a problem"),
    "error_required": ("Remplissez ce champ.", "Fill in this field."),
    "error_long": (
        "Le texte est trop long (2 000 caractères au plus).",
        "The text is too long (2,000 characters at most).",
    ),
    "error_choice": ("Choisissez une réponse de la liste.", "Choose an answer from the list."),
    # blocks
    "001": ("Boîte de messages sécurisée", "Secure message inbox"),
    "005": (
        "Demandes de renseignements et autres demandes",
        "Requests for information and other applications/requests",
    ),
    "007": ("Suivi des demandes", "Follow-up on applications and requests"),
    "008": ("Paiement de factures", "Pay invoices"),
    "018": (
        "LCOP – Demande d’autorisation; ajout ou modification de liens d’affaires",
        "ACPB – Application for authorization; Add/change business relationships",
    ),
    "019": (
        "LCOP – Divulgation des liens; validation et fin de la saisie",
        "ACPB – Disclose relationships; Validate and end data entry",
    ),
    "024": ("Accès au dossier client limité à la LCOP", "Access to client file limited to ACPB"),
    # 001
    "messages": ("Messages", "Messages"),
    "unread": ("Non lu", "Unread"),
    "read": ("Lu", "Read"),
    "no_messages": ("Aucun message.", "No message."),
    "back_messages": ("Retour aux messages", "Back to messages"),
    # 005
    "request_kind": ("Nature de la demande", "Kind of request"),
    "information": ("Demande de renseignements", "Request for information"),
    "meeting": ("Demande de rencontre", "Request for a meeting"),
    "correction": ("Correction à mon dossier", "Correction to my file"),
    "subject": ("Objet", "Subject"),
    "text": ("Votre demande", "Your request"),
    "send": ("Transmettre", "Submit"),
    "sent": ("Votre demande {number} est transmise.", "Your request {number} is submitted."),
    # 007
    "number": ("Numéro", "Number"),
    "date": ("Date", "Date"),
    "state": ("État", "Status"),
    "received": ("Reçue", "Received"),
    "no_requests": ("Aucune demande transmise.", "No request submitted."),
    # 008
    "amount": ("Montant", "Amount"),
    "due": ("Échéance", "Due"),
    "pay": ("Payer", "Pay"),
    "pay_hint": ("Paiement fictif : aucune somme n’est prélevée.", "Fictitious payment: no money is taken."),
    "paid": ("Payée, reçu {receipt}", "Paid, receipt {receipt}"),
    "paid_now": ("Paiement reçu. Votre reçu : {receipt}.", "Payment received. Your receipt: {receipt}."),
    "paid_before": ("Cette facture était déjà payée.", "This invoice was already paid."),
    "invoice": ("Facture", "Invoice"),
    "back_invoices": ("Retour aux factures", "Back to invoices"),
    "confirm_payment": ("Confirmez le paiement", "Confirm the payment"),
    "pay_amount": ("Payer {amount}", "Pay {amount}"),
    # a fresh sign-in
    "step_up": ("Confirmez que c’est bien vous", "Confirm it is you"),
    "step_up_payment": (
        "Avant un paiement, nous vous demandons de vous connecter de nouveau. Rien n’a été payé. Au retour, la facture sera "
        "prête à payer.",
        "Before a payment, we ask you to sign in again. Nothing has been paid. When you return, the invoice is ready to be paid.",
    ),
    "step_up_validation": (
        "Avant de mettre fin à la saisie, nous vous demandons de vous connecter de nouveau. Rien n’a été validé. Au retour, la "
        "validation sera prête à confirmer.",
        "Before the data entry ends, we ask you to sign in again. Nothing has been validated. When you return, the validation is "
        "ready to be confirmed.",
    ),
    "step_up_since": ("Votre dernière connexion date du {when}.", "You last signed in on {when}."),
    "step_up_button": ("Confirmer que c’est bien moi", "Confirm it is you"),
    "not_confirmed": ("Rien n’a été fait", "Nothing was done"),
    "not_confirmed_cancelled": (
        "Vous n’avez pas terminé la connexion. Votre session ici n’a pas changé.",
        "You did not finish signing in. Your session here has not changed.",
    ),
    "not_confirmed_not_fresh": (
        "Le service de connexion n’a pas confirmé votre identité à l’instant, comme nous l’avions demandé. Réessayez. Si le "
        "problème persiste, écrivez-nous.",
        "The sign-in service did not confirm who you are just now, as we had asked. Try again. If the problem persists, write to "
        "us.",
    ),
    "not_confirmed_somebody_else": (
        "La connexion a été faite par une autre personne ou pour une autre entreprise. Par prudence, ce qui allait être confirmé "
        "est abandonné.",
        "The sign-in was by another person or for another enterprise. To be safe, what was about to be confirmed is dropped.",
    ),
    "not_confirmed_again": ("Revenir à ce que je faisais", "Go back to what I was doing"),
    # 018
    "category": ("Catégorie de contrat", "Category of contract"),
    "services_category": ("Services", "Services"),
    "construction": ("Travaux de construction", "Construction work"),
    "ppp": ("Partenariat public-privé", "Public-private partnership"),
    "respondent": ("Répondant ou répondante", "Respondent"),
    "description": ("Description du contrat visé", "Description of the contract"),
    "save": ("Enregistrer le brouillon", "Save the draft"),
    "saved": ("Le brouillon est enregistré.", "The draft is saved."),
    "entry_closed": (
        "La saisie est terminée ; le brouillon ne peut plus changer.",
        "The entry has ended; the draft can no longer change.",
    ),
    # 019
    "kind": ("Lien", "Relationship"),
    "name": ("Nom", "Name"),
    "shareholder": ("Actionnaire", "Shareholder"),
    "director": ("Administrateur ou administratrice", "Director"),
    "officer": ("Dirigeant ou dirigeante", "Officer"),
    "financial_institution": ("Institution financière", "Financial institution"),
    "establishment": ("Établissement", "Establishment"),
    "disclose": ("Divulguer ce lien", "Disclose this relationship"),
    "disclosed": ("Le lien est divulgué.", "The relationship is disclosed."),
    "no_relationships": ("Aucun lien divulgué.", "No relationship disclosed."),
    "validate": ("Valider et terminer la saisie", "Validate and end data entry"),
    "validate_hint": (
        "Il faut un brouillon de demande et au moins un lien.",
        "A draft application and at least one relationship are needed.",
    ),
    "back_relationships": ("Retour aux liens", "Back to relationships"),
    "confirm_validation": ("Confirmez la fin de la saisie", "Confirm the end of the data entry"),
    "validation_is_final": (
        "Après cette validation, la saisie est fermée.",
        "After this validation, the data entry is closed.",
    ),
    "enterprise": ("Entreprise", "Enterprise"),
    "validated": ("La saisie est validée et terminée.", "The entry is validated and ended."),
    "cannot_validate": (
        "La saisie ne peut pas être terminée : il manque le brouillon ou un lien, ou elle l’était déjà.",
        "The entry cannot be ended: the draft or a relationship is missing, or it had ended already.",
    ),
    # 024
    "file": ("Dossier", "File"),
    "application": ("Demande d’autorisation", "Application for authorization"),
    "none": ("Aucune", "None"),
    "draft": ("Brouillon", "Draft"),
    "ended": ("Saisie terminée", "Entry ended"),
    "relationships": ("Liens divulgués", "Relationships disclosed"),
    "open_invoices": ("Factures à payer", "Invoices to pay"),
    "requests_sent": ("Demandes transmises", "Requests submitted"),
    "role_pes": ("responsable des services électroniques", "person in charge of electronic services"),
    "role_user": ("utilisateur", "user"),
    "role_authorized_representative": ("représentant autorisé", "authorized representative"),
}


def word(key: str, language: str, **values: object) -> str:
    """Return the sentence *key* in *language* (``fr`` or ``en``) with *values* filled in."""
    french, english = WORDS[key]
    return (english if language == "en" else french).format(**values)
